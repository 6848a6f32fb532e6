"""Tables of cases and lists of names, written as text."""


def cases(text):
    r"""One case per line, its parts between bars; `\n` is a line break."""
    return [
        tuple(line.replace(r"\n", "\n").split(" | "))
        for line in text.strip("\n").splitlines()
    ]


def listed(names):
    return set(names.split())
