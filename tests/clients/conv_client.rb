#!/usr/bin/env ruby
# layerd from Ruby, with its standard library alone: ruby conv_client.rb
# SPDX-License-Identifier: MIT
require "json"
require "net/http"

URL = ENV.fetch("LAYERD_URL", "http://127.0.0.1:8080")

def send_body(path, body, headers) = Net::HTTP.post(URI(URL + path), body, headers)

def post(path, fields) = send_body(path, JSON.generate(fields), "Content-Type" => "application/json")

# A tensor whose bytes follow the JSON
def tensor(*shape)
  { shape: shape, datatype: "FP32", parameters: { binary_data_size: 4 * shape.inject(:*) } }
end

def check(what, good, seen)
  puts "#{good ? "ok" : "FAIL"} #{what}: #{seen}"
  exit 1 unless good
end

# 1. Is it ready?
reply = Net::HTTP.get_response(URI(URL + "/v2/health/ready"))
check "ready", reply.code == "200", reply.code

# 2. Tensors as nested JSON arrays
image, kernel = [[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2], [3, 4]]
output = JSON.parse(post("/v1/conv", input: image, weight: kernel).body)["output"]
check "conv, JSON", output == [[37, 47], [67, 77]], output

# 3. Tensors as bytes: little-endian floats behind the JSON, whose length a header gives, both ways
text = JSON.generate(input: tensor(3, 3), weight: tensor(2, 2))
floats = (image + kernel).flatten.pack("e*")
reply = send_body("/v1/conv", text + floats, "Content-Type" => "application/octet-stream",
                                             "Inference-Header-Content-Length" => text.bytesize.to_s)
length = reply["Inference-Header-Content-Length"].to_i
output = reply.body.byteslice(length..).unpack("e*")
check "conv, binary", length.positive? && output == [37, 47, 67, 77], output

# 4. Initial weights: the same seed gives the same
first, again = Array.new(2) do
  JSON.parse(post("/v1/initialize", method: "xavier_uniform", shape: [2, 3], seed: 1).body)
end
weights = first["weight"].flatten
check "initialize", weights.length == 6 && first["weight"] == again["weight"] &&
                    weights.all? { |weight| weight.abs <= first["bound"] }, first["weight"]

# 5. A mistake: it is "strides"
reply = post("/v1/conv", input: image, weight: kernel, stride: 2)
problem = JSON.parse(reply.body)
check "a mistake", reply.code == "422" && reply["Content-Type"] == "application/problem+json" &&
                   problem["pointer"] == "/stride" && problem["detail"].include?('"strides"'), problem["detail"]
