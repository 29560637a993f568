"""FastAPI with onnxruntime in one process: raw bytes in, a response like Atelier's out.

usage: onnx_fastapi.py MODEL CLASS_NAMES_JSON
"""
import json
import socket
import sys

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI, Request, Response

names = json.loads(sys.argv[2])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1  # one image is too little for more
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
app = FastAPI()


def describe(row):
    label = int(row.argmax())
    probabilities = row.tolist()
    return {
        "label": label,
        "className": names[label],
        "probability": probabilities[label],
        "probabilities": probabilities,
    }


@app.post("/")
async def predict(request: Request):
    images = np.frombuffer(await request.body(), np.uint8).reshape(-1, 784)
    (rows,) = session.run(None, {"images": images})
    answer = {"model": {"name": "served", "version": 1}, "predictions": [describe(row) for row in rows]}
    return Response(json.dumps(answer), media_type="application/json")


listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
print(f"Server listening at http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
