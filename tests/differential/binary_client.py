"""A client that sends and reads tensors in the binary form.

SPDX-License-Identifier: MIT
"""

import http.client
import json
from urllib.parse import urlsplit

import numpy

LENGTH = 'Inference-Header-Content-Length'


class Client:
    """One connection. Arrays in a request are sent as tensors; tensors in a reply become arrays."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc)

    def _exchange(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, headers or {})
        response = self.connection.getresponse()
        return response, response.read()

    def operations(self):
        """The names of those that the daemon serves."""
        _, body = self._exchange('GET', '/v1')
        return {operation['name'] for operation in json.loads(body)['operations']}

    def post(self, path, request):
        """The status and the reply."""
        parts = []
        head = json.dumps({'output_format': 'binary', **_without_arrays(request, parts)}).encode()
        headers = {'Content-Type': 'application/octet-stream', LENGTH: str(len(head))}
        response, body = self._exchange('POST', path, b''.join([head, *parts]), headers)
        length = int(response.headers.get(LENGTH, len(body)))
        reply, _ = _with_arrays(json.loads(body[:length]), body, length)
        return response.status, reply


def _without_arrays(value, parts):
    """What JSON says of the value; the bytes of its arrays are appended to the parts."""
    if isinstance(value, dict):
        return {name: _without_arrays(member, parts) for name, member in value.items()}
    if isinstance(value, list):
        return [_without_arrays(item, parts) for item in value]
    if isinstance(value, numpy.ndarray):
        parts.append(value.astype('<f4').tobytes())
        return {'shape': value.shape, 'datatype': 'FP32', 'parameters': {'binary_data_size': len(parts[-1])}}
    return value


def _with_arrays(value, body, at):
    """The value with its tensors as arrays, taken from the body at and after `at`; and where they end."""
    if isinstance(value, dict) and 'binary_data_size' in value.get('parameters', {}):
        count = value['parameters']['binary_data_size'] // 4
        return numpy.frombuffer(body, '<f4', count, at).reshape(value['shape']), at + 4 * count
    if not isinstance(value, (dict, list)):
        return value, at
    result = type(value)()
    for name, member in value.items() if isinstance(value, dict) else enumerate(value):
        member, at = _with_arrays(member, body, at)
        result.append(member) if isinstance(value, list) else result.update({name: member})
    return result, at
