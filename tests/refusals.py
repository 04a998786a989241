"""What a user reads of a fault."""

import pytest

from tsf.errors import UserError


def refusal(call, *arguments) -> str:
    """The one line with which `call` refuses its arguments."""
    with pytest.raises(UserError) as fault:
        call(*arguments)
    assert "\n" not in str(fault.value)
    return str(fault.value)
