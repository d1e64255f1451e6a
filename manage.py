#!/usr/bin/env python
"""Django's own commands, for those who work on the portal; `portal` is the product's."""

import sys

from portal.operations.commands import portal_set_up

if __name__ == "__main__":
    with portal_set_up(quiet=False):
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)
