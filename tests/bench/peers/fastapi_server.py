"""The convolution that `make bench-service` asks for, by FastAPI, uvicorn, ujson and PyTorch: fastapi_server.py PORT

SPDX-License-Identifier: MIT
"""

import os
import sys

import numpy
import torch
import torch.nn.functional as F
import ujson
import uvicorn
from fastapi import FastAPI, Request, Response

LENGTH = 'Inference-Header-Content-Length'
app = FastAPI()
torch.set_num_threads(1)  # a process for each core instead
torch.set_grad_enabled(False)


def as_four(array):
    return torch.from_numpy(array).reshape((1,) * (4 - array.ndim) + array.shape)


def convolve(inputs, weight):
    return F.conv2d(as_four(inputs), as_four(weight)).numpy()


def tensor(parts, at):
    """One of a request's binary tensors, and where the next begins."""
    count = numpy.prod(parts['shape'])
    return numpy.frombuffer(parts['data'], '<f4', count, at).reshape(parts['shape']), at + 4 * count


def answer_binary(body, length):
    head = ujson.loads(body[:length])
    inputs, at = tensor({**head['input'], 'data': body}, length)
    weight, _ = tensor({**head['weight'], 'data': body}, at)
    output = convolve(inputs, weight)
    said = {'shape': output.shape, 'datatype': 'FP32', 'parameters': {'binary_data_size': output.nbytes}}
    reply = ujson.dumps({'output': said}).encode()
    return Response(reply + output.tobytes(), media_type='application/octet-stream',
                    headers={LENGTH: str(len(reply))})


def answer_json(body):
    request = ujson.loads(body)
    output = convolve(*(numpy.array(request[name], 'f4') for name in ('input', 'weight')))
    return Response(ujson.dumps({'output': output.tolist()}), media_type='application/json')


@app.post('/v1/conv')
async def conv(request: Request):
    body = await request.body()
    length = request.headers.get(LENGTH)
    return answer_binary(body, int(length)) if length else answer_json(body)


if __name__ == '__main__':
    uvicorn.run('fastapi_server:app', host='127.0.0.1', port=int(sys.argv[1]), workers=len(os.sched_getaffinity(0)),
                loop='uvloop', http='httptools', log_level='critical', access_log=False,
                app_dir=os.path.dirname(os.path.abspath(__file__)))
