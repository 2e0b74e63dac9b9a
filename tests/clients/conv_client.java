// layerd from Java, with its standard library alone: java conv_client.java
// A program of more than these few fields would read the JSON with a library.
// SPDX-License-Identifier: MIT

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.regex.Pattern;

class ConvClient {
    static final String URL = System.getenv().getOrDefault("LAYERD_URL", "http://127.0.0.1:8080");
    static final HttpClient CLIENT = HttpClient.newHttpClient();

    static HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(URI.create(URL + path));
    }

    static HttpResponse<String> post(String path, String json) throws Exception {
        var request = to(path).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json)).build();
        return CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
    }

    /** What a field of the reply holds: a string, a number or a nest of arrays. */
    static String field(String json, String name) {
        var value = "(\"(?:[^\"\\\\]|\\\\.)*\"|[-+.\\deE]+|\\[[^a-z\"]*\\])";
        var found = Pattern.compile("\"" + name + "\":" + value).matcher(json);
        return found.find() ? found.group(1) : "";
    }

    static void check(String what, boolean good, Object seen) {
        System.out.println((good ? "ok " : "FAIL ") + what + ": " + seen);
        if (!good) {
            System.exit(1);
        }
    }

    public static void main(String[] arguments) throws Exception {
        // 1. Is it ready?
        var ready = CLIENT.send(to("/v2/health/ready").build(), HttpResponse.BodyHandlers.discarding());
        check("ready", ready.statusCode() == 200, ready.statusCode());

        // 2. Tensors as nested JSON arrays
        var lecture = "\"input\":[[1,2,3],[4,5,6],[7,8,9]],\"weight\":[[1,2],[3,4]]";
        var output = field(post("/v1/conv", "{" + lecture + "}").body(), "output");
        check("conv, JSON", output.equals("[[37,47],[67,77]]"), output);

        // 3. Tensors as bytes: little-endian floats behind the JSON, whose length a header gives, both ways
        var json = """
                {"input":{"shape":[3,3],"datatype":"FP32","parameters":{"binary_data_size":36}},
                 "weight":{"shape":[2,2],"datatype":"FP32","parameters":{"binary_data_size":16}}}""".getBytes("UTF-8");
        var body = ByteBuffer.allocate(json.length + 36 + 16).order(ByteOrder.LITTLE_ENDIAN).put(json);
        for (float number : new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4}) {
            body.putFloat(number);
        }
        var request = to("/v1/conv").header("Content-Type", "application/octet-stream")
                .header("Inference-Header-Content-Length", String.valueOf(json.length))
                .POST(HttpRequest.BodyPublishers.ofByteArray(body.array())).build();
        var reply = CLIENT.send(request, HttpResponse.BodyHandlers.ofByteArray());
        int length = (int) reply.headers().firstValueAsLong("Inference-Header-Content-Length").orElseThrow();
        var floats = new float[4];
        ByteBuffer.wrap(reply.body()).order(ByteOrder.LITTLE_ENDIAN).position(length).slice()
                .order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(floats);
        check("conv, binary", Arrays.equals(floats, new float[] {37, 47, 67, 77}), Arrays.toString(floats));

        // 4. Initial weights: the same seed gives the same
        var wanted = "{\"method\":\"xavier_uniform\",\"shape\":[2,3],\"seed\":1}";
        String first = post("/v1/initialize", wanted).body(), again = post("/v1/initialize", wanted).body();
        var weights = Pattern.compile("[^\\[\\],]+").matcher(field(first, "weight")).results()
                .mapToDouble(number -> Double.parseDouble(number.group())).toArray();
        double bound = Double.parseDouble(field(first, "bound"));
        check("initialize", weights.length == 6 && field(first, "weight").equals(field(again, "weight"))
                && Arrays.stream(weights).allMatch(weight -> Math.abs(weight) <= bound), Arrays.toString(weights));

        // 5. A mistake: it is "strides"
        var problem = post("/v1/conv", "{" + lecture + ",\"stride\":2}");
        var type = problem.headers().firstValue("Content-Type").orElse("");
        var detail = field(problem.body(), "detail");
        check("a mistake", problem.statusCode() == 422 && type.equals("application/problem+json")
                && field(problem.body(), "pointer").equals("\"/stride\"") && detail.contains("\\\"strides\\\""), detail);
    }
}
