"""The command line, `./huimin`: one group a room. Refusals and wrong input end with their message and exit code 2."""

import os
import sys

import click

from huimin.kernel.command_line import speak_chinese
from huimin.kernel.errors import Refusal


class _Rooms(click.Group):
    """Rooms are imported only when called, so that commands without a database start fast."""

    ROOMS = {
        "calendar": "huimin.calendars.cli:calendar",
        "import": "huimin.importing.cli:import_command",
        "policy": "huimin.policy.book_cli:policy",
        "audit": "huimin.audit.cli:audit",
        "divisions": "huimin.divisions.cli:divisions",
        "bank": "huimin.payment.bank_cli:bank",
        "db": "huimin.database.cli:db",
        "keys": "huimin.database.keys_cli:keys",
        "demo": "huimin.demo.cli:demo",
        "process": "huimin.processes.cli:process",
        "sample": "huimin.samples.cli:sample",
        "screen": "huimin.casework.cli:screen",
        "serve": "huimin.demo.cli:serve",
        "work": "huimin.jobs.cli:work",
    }

    # Commands of a group whose room lies further downstream than the group's.
    MORE = {"policy": {"simulate": "huimin.workbench.simulate_cli:simulate"}}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.ROOMS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.ROOMS:
            return None
        command = _loaded(self.ROOMS[cmd_name])
        for name, where in self.MORE.get(cmd_name, {}).items():
            assert isinstance(command, click.Group)
            command.add_command(_loaded(where), name)
        return command


def _loaded(where: str) -> click.Command:
    module, _, name = where.partition(":")
    command: click.Command = getattr(__import__(module, fromlist=[name]), name)
    return command


@click.group(cls=_Rooms, help="惠民：从登记到发放的惠民补贴系统")
def huimin() -> None:
    """The root of the command line."""


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huimin.settings.base")
    speak_chinese()
    try:
        huimin(prog_name="huimin")
    except Refusal as refusal:
        click.echo(str(refusal), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
