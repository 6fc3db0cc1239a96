"""The command line: `trivium <verb>`, one thin file a verb.

`main.py` holds the table of verbs and turns errors into exit codes; `console.py` prints results for people and for
programs. Every other file is a verb: plain typed functions that parse, call a room below, and print. Help must come
in a blink, so a verb imports the rooms it calls inside its function.
"""
