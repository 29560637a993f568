"""Executes a notebook, and prints what it shows as JSON or stores it.

usage: execute_notebook.py FILE [--write]
"""

import json
import sys

import nbclient
import nbformat

[path, *options] = sys.argv[1:]
notebook = nbformat.read(path, as_version=4)


def show() -> list:
    """The texts of the cells, and the media types and the text of what else they show."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [
        output["text"] if output["output_type"] == "stream" else [*sorted(output["data"]), output["data"]["text/plain"]]
        for output in outputs
    ]


def join_streams(outputs: list) -> list:
    """A kernel that is interrupted while it prints sends the text in several parts."""
    joined = outputs[:1]
    for output in outputs[1:]:
        if output["output_type"] == joined[-1]["output_type"] == "stream":
            joined[-1]["text"] += output["text"]
        else:
            joined.append(output)
    return joined


stored = show()
nbclient.NotebookClient(notebook, timeout=120, record_timing=False).execute()
for cell in notebook.cells:
    if cell["cell_type"] == "code":
        cell["outputs"] = join_streams(cell["outputs"])
if "--write" in options:
    nbformat.write(notebook, path)
else:
    print(json.dumps({"stored": stored, "shown": show()}))
