#!/usr/bin/env php
<?php
// layerd from PHP, without any extension: php conv_client.php
// SPDX-License-Identifier: MIT
declare(strict_types=1);

// Status, headers and body of the answer: to a GET without a body, to a POST with one
function call(string $path, ?string $body = null, array $headers = []): array
{
    $lines = array_map(fn ($name) => "$name: $headers[$name]", array_keys($headers));
    $options = ['method' => $body === null ? 'GET' : 'POST', 'header' => $lines, 'content' => $body ?? '',
        'ignore_errors' => true];
    $url = getenv('LAYERD_URL') ?: 'http://127.0.0.1:8080';
    $answer = file_get_contents($url . $path, false, stream_context_create(['http' => $options]));
    preg_match_all('/^([\w-]+): *(.*)$/m', implode("\n", $http_response_header ?? []), $found);
    return [(int) explode(' ', $http_response_header[0] ?? ' 0')[1],
        array_combine(array_map('strtolower', $found[1]), $found[2]), (string) $answer];
}

function post(string $path, array $fields): array
{
    [$status, $headers, $body] = call($path, json_encode($fields), ['Content-Type' => 'application/json']);
    return [$status, $headers, json_decode($body, true)];
}

// A tensor whose bytes follow the JSON
function tensor(int ...$shape): array
{
    return ['shape' => $shape, 'datatype' => 'FP32', 'parameters' => ['binary_data_size' => 4 * array_product($shape)]];
}

function check(string $what, bool $good, mixed $seen): void
{
    echo $good ? 'ok' : 'FAIL', " $what: ", json_encode($seen, JSON_UNESCAPED_SLASHES), "\n";
    $good || exit(1);
}

// 1. Is it ready?
[$status] = call('/v2/health/ready');
check('ready', $status === 200, $status);

// 2. Tensors as nested JSON arrays
$lecture = ['input' => [[1, 2, 3], [4, 5, 6], [7, 8, 9]], 'weight' => [[1, 2], [3, 4]]];
[, , $reply] = post('/v1/conv', $lecture);
check('conv, JSON', ($reply['output'] ?? null) === [[37, 47], [67, 77]], $reply['output'] ?? null);

// 3. Tensors as bytes: little-endian floats behind the JSON, whose length a header gives, both ways
$text = json_encode(['input' => tensor(3, 3), 'weight' => tensor(2, 2)]);
[, $headers, $body] = call('/v1/conv', $text . pack('g*', ...range(1, 9), ...range(1, 4)),
    ['Content-Type' => 'application/octet-stream', 'Inference-Header-Content-Length' => strlen($text)]);
$output = unpack('g*', substr($body, (int) ($headers['inference-header-content-length'] ?? 0)));
check('conv, binary', array_values($output) == [37, 47, 67, 77], array_values($output));

// 4. Initial weights: the same seed gives the same
[$first, $again] = array_map(
    fn ($seed) => post('/v1/initialize', ['method' => 'xavier_uniform', 'shape' => [2, 3], 'seed' => $seed])[2], [1, 1]);
$weights = array_merge(...$first['weight'] ?? [[]]);
check('initialize', count($weights) === 6 && $first['weight'] === $again['weight']
    && max(array_map('abs', $weights)) <= $first['bound'], $first['weight'] ?? null);

// 5. A mistake: it is "strides"
[$status, $headers, $problem] = post('/v1/conv', $lecture + ['stride' => 2]);
check('a mistake', $status === 422 && $headers['content-type'] === 'application/problem+json'
    && $problem['pointer'] === '/stride' && str_contains($problem['detail'], '"strides"'), $problem['detail']);
