"""``matinee completion``."""

import click


@click.command("completion", epilog='For bash: eval "$(matinee completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print the completion script of SHELL."""
    from click.shell_completion import get_completion_class

    from matinee.apps.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "matinee", "_MATINEE_COMPLETE").source())
