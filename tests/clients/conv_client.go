// layerd from Go, with its standard library alone: go run conv_client.go
// SPDX-License-Identifier: MIT
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"
)

type object = map[string]any

// call sends a GET without a body, or a POST with one and its headers, and reads the reply.
func call(path string, body []byte, headers map[string]string) (*http.Response, []byte) {
	base, method := os.Getenv("LAYERD_URL"), http.MethodPost
	if base == "" {
		base = "http://127.0.0.1:8080"
	}
	if body == nil {
		method = http.MethodGet
	}
	request, err := http.NewRequest(method, base+path, bytes.NewReader(body))
	must(err)
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	reply, err := http.DefaultClient.Do(request)
	must(err)
	defer reply.Body.Close()
	answer, err := io.ReadAll(reply.Body)
	must(err)
	return reply, answer
}

// post sends fields as JSON and decodes the reply into result.
func post(path string, fields object, result any) *http.Response {
	text, err := json.Marshal(fields)
	must(err)
	reply, answer := call(path, text, map[string]string{"Content-Type": "application/json"})
	must(json.Unmarshal(answer, result))
	return reply
}

// tensor is one whose bytes follow the JSON.
func tensor(rows, columns int) object {
	return object{"shape": []int{rows, columns}, "datatype": "FP32",
		"parameters": object{"binary_data_size": 4 * rows * columns}}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func check(what string, good bool, seen any) {
	if !good {
		log.Fatalf("FAIL %s: %v", what, seen)
	}
	fmt.Printf("ok %s: %v\n", what, seen)
}

func main() {
	// 1. Is it ready?
	reply, _ := call("/v2/health/ready", nil, nil)
	check("ready", reply.StatusCode == 200, reply.StatusCode)

	// 2. Tensors as nested JSON arrays
	image, kernel := [][]float32{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}, [][]float32{{1, 2}, {3, 4}}
	var nested struct{ Output [][]float32 }
	post("/v1/conv", object{"input": image, "weight": kernel}, &nested)
	check("conv, JSON", reflect.DeepEqual(nested.Output, [][]float32{{37, 47}, {67, 77}}), nested.Output)

	// 3. Tensors as bytes: little-endian floats behind the JSON, whose length a header gives, both ways
	text, err := json.Marshal(object{"input": tensor(3, 3), "weight": tensor(2, 2)}) // sorted: the input comes first
	must(err)
	body := bytes.NewBuffer(text)
	must(binary.Write(body, binary.LittleEndian, []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4}))
	reply, answer := call("/v1/conv", body.Bytes(), map[string]string{"Content-Type": "application/octet-stream",
		"Inference-Header-Content-Length": strconv.Itoa(len(text))})
	length, err := strconv.Atoi(reply.Header.Get("Inference-Header-Content-Length"))
	must(err)
	output := make([]float32, 4)
	must(binary.Read(bytes.NewReader(answer[length:]), binary.LittleEndian, output))
	check("conv, binary", reflect.DeepEqual(output, []float32{37, 47, 67, 77}), output)

	// 4. Initial weights: the same seed gives the same
	var first, again struct {
		Weight [][]float64
		Bound  float64
	}
	request := object{"method": "xavier_uniform", "shape": []int{2, 3}, "seed": 1}
	post("/v1/initialize", request, &first)
	post("/v1/initialize", request, &again)
	within := 0
	for _, weight := range append(first.Weight[0], first.Weight[1]...) {
		if math.Abs(weight) <= first.Bound {
			within++
		}
	}
	check("initialize", within == 6 && reflect.DeepEqual(first, again), first.Weight)

	// 5. A mistake: it is "strides"
	var problem struct{ Pointer, Detail string }
	reply = post("/v1/conv", object{"input": image, "weight": kernel, "stride": 2}, &problem)
	check("a mistake", reply.StatusCode == 422 && reply.Header.Get("Content-Type") == "application/problem+json" &&
		problem.Pointer == "/stride" && strings.Contains(problem.Detail, `"strides"`), problem.Detail)
}
