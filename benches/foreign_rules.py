"""Makes samples from the rules of other scanners: a random value that each regular expression matches, in several places.

Reads the rules of a directory: `*.toml` in the form of gitleaks, and `*.json` in the form of `kingfisher rules list --format json`,
whose examples are samples too. A rule whose expression starts with the name of a service gives a named value: the name is the rule's
id. All others give a value that its own form marks.
"""

import json
import os
import re
import tomllib
import warnings

try:
    from re import _parser as parser
except ImportError:  # before Python 3.11
    import sre_parse as parser

WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
POSIX = {"[:alnum:]": "a-zA-Z0-9", "[:alpha:]": "a-zA-Z", "[:digit:]": "0-9", "[:xdigit:]": "0-9a-fA-F", "[:word:]": r"\w",
         "[:lower:]": "a-z", "[:upper:]": "A-Z", "[:punct:]": "_-", "[:space:]": r"\s"}


def parsed(expression):
    """Parses an expression of Go's syntax with Python's parser."""
    for name, letters in POSIX.items():
        expression = expression.replace(name, letters)
    ignored = expression.startswith(("(?i)", "(?xi)", "(?ix)"))
    spaced = bool(re.match(r"\(\?[a-z]*x[a-z]*\)", expression))
    expression = re.sub(r"\(\?[a-zA-Z]+\)", "", expression)
    expression = re.sub(r"\(\?[a-z]*-?[a-z]*:", "(?:", expression).replace(r"\z", r"\Z").replace("(?<", "(?P<")
    expression = expression.replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return parser.parse(expression, re.VERBOSE if spaced else 0), ignored


class Maker:
    """Makes random texts that an expression matches, and remembers its groups."""

    def __init__(self, chance):
        self.chance, self.groups = chance, {}

    def text(self, pattern):
        return "".join(self.piece(str(operation), argument) for operation, argument in pattern)

    def piece(self, operation, argument):
        if operation == "LITERAL":
            return chr(argument)
        if operation in ("NOT_LITERAL", "ANY"):
            return self.chance.choice(WORD)
        if operation == "IN":
            return self.letter(argument)
        if operation in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, most, inner = argument
            most = min(most, max(least, 1) + 12)
            # An optional part of one letter is left out: such parts are quotes and spaces around the value.
            count = self.chance.randint(least, most) if least or most > 1 else least
            return "".join(self.text(inner) for _ in range(count))
        if operation == "SUBPATTERN":
            made = self.text(argument[-1])
            if argument[0]:
                self.groups[argument[0]] = made
            return made
        if operation == "BRANCH":
            # An end of the text, or a letter after it: the end.
            if any(all(str(it[0]) == "AT" for it in branch) for branch in argument[1]):
                return ""
            return self.text(self.chance.choice(argument[1]))
        if operation == "ATOMIC_GROUP":
            return self.text(argument)
        if operation == "GROUPREF":
            return self.groups.get(argument, "")
        return ""  # AT, ASSERT and ASSERT_NOT

    def letter(self, members):
        letters, negated = set(), False
        for operation, argument in members:
            operation = str(operation)
            if operation == "NEGATE":
                negated = True
            elif operation == "LITERAL":
                letters.add(chr(argument))
            elif operation == "RANGE":
                letters.update(map(chr, range(argument[0], argument[1] + 1)))
            elif operation == "CATEGORY":
                letters.update({"CATEGORY_DIGIT": "0123456789", "CATEGORY_WORD": WORD + "_", "CATEGORY_SPACE": " "}.get(str(argument), WORD))
        if negated:
            letters = set(WORD) - letters or {"x"}
        # A mark that a class allows is rarer in real values than its letters.
        plain = letters & set(WORD)
        if plain and self.chance.random() < 0.95:
            letters = plain
        return self.chance.choice(sorted(letters))


# Rules for what everybody may know, such as the identifier of a client.
PUBLIC = re.compile(r"(client|account|application|app|access|org|key|api|sa)[-_]?id(\.\d+)?$|pub(lic)?[-_]|domain|url(\.\d+)?$|[-_](user|cloud-|account-)?name(\.\d+)?$|username|publishable")
ASSIGNED = re.compile(r"\(\?:=\|>\|")


def rules(directory):
    """Yields the id, the expression and the examples of each rule."""
    for name in sorted(os.listdir(directory)):
        path = os.path.join(directory, name)
        if name.endswith(".toml"):
            with open(path, "rb") as file:
                for rule in tomllib.loads(file.read().decode("utf-8", "replace")).get("rules", []):
                    if rule.get("regex"):
                        yield f"{name[:-5]}:{rule['id']}", rule["regex"], rule.get("secretGroup"), []
        elif name.endswith(".json"):
            with open(path, encoding="utf-8") as file:
                for rule in json.load(file):
                    yield f"{name[:-5]}:{rule['id']}", rule["pattern"], None, rule.get("examples") or []


def value_of(expression, group, chance):
    """Returns a value of an expression, and if only a name beside it makes it a secret."""
    pattern, _ = parsed(expression)
    maker = Maker(chance)
    whole = maker.text(pattern)
    named = bool(ASSIGNED.search(expression))
    filled = [maker.groups[number] for number in sorted(maker.groups) if len(maker.groups[number]) >= 8]
    if group:
        filled = [maker.groups.get(group, whole)]
    return (filled[0] if filled else whole), whole, named


# Places of a named value: what it is, its path, and the text. The variable of an image has no path.
NAMED_PLACES = (
    (".env", ".env", "{upper}={value}\n"),
    ("yaml", "config.yaml", "service:\n  {lower}: {value}\n"),
    ("json", "config.json", '{{"{lower}": "{value}"}}\n'),
    ("shell", "run.sh", '#!/bin/sh\nexport {upper}="{value}"\nexec server\n'),
    ("python", "settings.py", '{upper} = "{value}"\n'),
    ("go", "main.go", 'package main\n\nvar {lower} = "{value}"\n'),
)
MARKED_PLACES = (
    ("plain", "file", "{value}\n"),
    (".env", ".env", "VALUE={value}\n"),
    ("yaml", "config.yaml", "service:\n  value: {value}\n"),
    ("json", "config.json", '{{"value": "{value}"}}\n'),
    ("shell", "run.sh", '#!/bin/sh\ntool --value "{value}"\n'),
    ("python", "settings.py", 'connect("{value}")\n'),
)


def samples(directory, chance):
    """Yields of each sample: its name, its path or None for a variable of the image, and its text. No two have the same value."""
    for number, (rule, expression, group, examples) in enumerate(rules(directory)):
        for index, example in enumerate(examples):
            yield f"{rule} (example {index})", f"examples/{number}/{index}/file", example + "\n"
        name = re.sub(r"[^A-Za-z0-9]+", "_", re.sub(r"\.[0-9]+$", "", rule.partition(":")[2])).strip("_")
        if PUBLIC.search(rule):
            continue

        def made():
            value, whole, named = value_of(expression, group, chance)
            return value, whole.strip("'\"; \n`"), named

        try:
            value, whole, named = made()
        except (re.error, RecursionError, OverflowError):
            continue
        if not named and value != whole:
            # The text around the value belongs to the form.
            yield f"{rule} (plain)", f"rules/{number}/file", whole + "\n"
            continue
        for style, path, text in NAMED_PLACES if named else MARKED_PLACES:
            names = {"upper": name.upper(), "lower": name.lower(), "value": made()[0]}
            yield f"{rule} ({style})", f"rules/{number}/{path}", text.format(**names)
        yield f"{rule} (ENV)", None, f"{name.upper() if named else 'V' + str(number)}={made()[0]}"
