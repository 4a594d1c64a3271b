using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Gateway.Bytes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Batches;

public sealed class BatchesTests(GatewaySite site) : IClassFixture<GatewaySite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_line_of_a_batch_has_one_line_of_output_or_error()
    {
        site.Anthropic.EnqueueFor(
            "bad", ScriptedAnswer.Error(400, """{"type":"error","error":{"type":"invalid_request_error","message":"no"}}"""));
        var lines = Enumerable.Range(0, 20).Select(number => Line($"line {number}", "anthropic/claude", $"question {number} 🗼"))
            .Append(Line("bad", "anthropic/bad", "x"));
        var batch = await StartAsync(lines);
        Assert.Equal("validating", (string?)batch["status"]);
        await site.Host.RunJobsAsync();
        var ended = await site.GetAsync($"/v1/batches/{(string)batch["id"]!}");
        Assert.Equal("completed", (string?)ended["status"]);
        Assert.Equal((21, 20, 1), ((int)ended["request_counts"]!["total"]!,
            (int)ended["request_counts"]!["completed"]!, (int)ended["request_counts"]!["failed"]!));
        var output = await ReadAsync((string)ended["output_file_id"]!);
        Assert.Equal(Enumerable.Range(0, 20).Select(number => $"line {number}"), output.Select(line => (string)line["custom_id"]!));
        Assert.Equal("You said: question 3 🗼", (string?)output[3]["response"]!["body"]!["choices"]![0]!["message"]!["content"]);
        Assert.Equal(200, (int)output[3]["response"]!["status_code"]!);
        var error = Assert.Single(await ReadAsync((string)ended["error_file_id"]!));
        Assert.Equal(("bad", "no"), ((string?)error["custom_id"], (string?)error["error"]!["message"]));
        Assert.Null(error["response"]);
    }

    [Theory]
    [InlineData("nonsense", "invalid_json_line", 1)]
    [InlineData("""{"custom_id":"a","method":"GET","url":"/v1/chat/completions","body":{}}""", "invalid_value", 1)]
    [InlineData("""{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{}}""", "mismatched_endpoint", 1)]
    [InlineData("""{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{}}""" + "\n"
        + """{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{}}""", "duplicate_custom_id", 2)]
    [InlineData("", "empty_file", null)]
    public async Task A_file_with_a_wrong_line_fails_and_says_where(string content, string code, int? line)
    {
        var batch = await StartAsync([content]);
        await site.Host.RunJobsAsync();
        var failed = await site.GetAsync($"/v1/batches/{(string)batch["id"]!}");
        Assert.Equal("failed", (string?)failed["status"]);
        Assert.NotNull(failed["failed_at"]);
        var error = failed["errors"]!["data"]![0]!;
        Assert.Equal((code, line), ((string?)error["code"], (int?)error["line"]));
    }

    [Fact]
    public async Task A_file_with_a_line_without_end_fails_and_says_where()
    {
        var batch = await StartAsync([Line("a", "anthropic/claude", "x"), new string('x', JsonLines.MaxBytes + 100)]);
        await site.Host.RunJobsAsync();
        var failed = await site.GetAsync($"/v1/batches/{(string)batch["id"]!}");
        Assert.Equal("failed", (string?)failed["status"]);
        var error = failed["errors"]!["data"]![0]!;
        Assert.Equal(("line_too_long", 2), ((string?)error["code"], (int?)error["line"]));
    }

    [Fact]
    public async Task The_page_before_a_batch_is_the_one_next_to_it()
    {
        var body = $$$"""{"requests":[{"custom_id":"one","params":{{{Message("demo/demo", "hello")}}}}]}""";
        var ids = new List<string>();
        for (var made = 0; made < 4; made++)
        {
            using var answer = await site.PostAsync("/v1/messages/batches", body);
            ids.Add((string)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!["id"]!);
        }

        var page = await site.GetAsync($"/v1/messages/batches?limit=2&before_id={ids[0]}");
        var first = await site.GetAsync($"/v1/messages/batches?limit=2&before_id={ids[2]}");

        Assert.Equal([ids[2], ids[1]], page["data"]!.AsArray().Select(batch => (string)batch!["id"]!));
        Assert.Equal((true, ids[2], ids[1]), ((bool)page["has_more"]!, (string)page["first_id"]!, (string)page["last_id"]!));
        Assert.Equal([ids[3]], first["data"]!.AsArray().Select(batch => (string)batch!["id"]!));
        Assert.False((bool)first["has_more"]!);
    }

    [Fact]
    public async Task A_cancelled_batch_keeps_what_it_has()
    {
        var release = new TaskCompletionSource();
        site.Anthropic.EnqueueFor("slow", [.. Enumerable.Repeat(ScriptedAnswer.Text("late").Hold(0, release.Task), 8)]);
        var batch = await StartAsync(Enumerable.Range(0, 300).Select(number => Line($"{number}", "anthropic/slow", "x")));
        await site.Anthropic.NextRequestForAsync("slow", Ct);
        using var cancelling = await site.PostAsync($"/v1/batches/{(string)batch["id"]!}/cancel", "");
        Assert.Equal("cancelling", (string?)JsonNode.Parse(await cancelling.Content.ReadAsStringAsync(Ct))!["status"]);
        release.SetResult();
        await site.Host.RunJobsAsync();
        var ended = await site.GetAsync($"/v1/batches/{(string)batch["id"]!}");
        Assert.Equal("cancelled", (string?)ended["status"]);
        var answered = await ReadAsync((string)ended["output_file_id"]!);
        var rest = await ReadAsync((string)ended["error_file_id"]!);
        Assert.Equal(300, answered.Count + rest.Count);
        Assert.NotEmpty(rest);
        Assert.All(rest, line => Assert.Equal("batch_cancelled", (string?)line["error"]!["code"]));
    }

    [Fact]
    public async Task A_batch_of_messages_is_read_as_lines()
    {
        site.OpenAi.EnqueueFor("refuse", ScriptedAnswer.Error(400));
        var body = $$$"""{"requests":[{"custom_id":"one","params":{{{Message("openai/gpt-4o", "hello")}}}},{"custom_id":"two","params":{{{Message("openai/refuse", "x")}}}}]}""";
        using var made = await site.PostAsync("/v1/messages/batches", body);
        var batch = JsonNode.Parse(await made.Content.ReadAsStringAsync(Ct))!;
        Assert.Equal(("in_progress", 2), ((string?)batch["processing_status"], (int)batch["request_counts"]!["processing"]!));
        await site.Host.RunJobsAsync();
        var ended = await site.GetAsync($"/v1/messages/batches/{(string)batch["id"]!}");
        Assert.Equal(("ended", 1, 1),
            ((string?)ended["processing_status"], (int)ended["request_counts"]!["succeeded"]!, (int)ended["request_counts"]!["errored"]!));
        var results = await LinesAsync(new Uri((string)ended["results_url"]!).PathAndQuery);
        Assert.Equal("You said: hello", (string?)results[0]["result"]!["message"]!["content"]![0]!["text"]);
        Assert.Equal("errored", (string?)results[1]["result"]!["type"]);
        Assert.Equal((string?)batch["id"], (string?)(await site.GetAsync("/v1/messages/batches"))["data"]![0]!["id"]);
    }

    [Fact]
    public async Task What_a_batch_cannot_be_made_of_is_refused_at_once()
    {
        using var missing = await site.PostAsync(
            "/v1/batches", """{"input_file_id":"file-none","endpoint":"/v1/chat/completions","completion_window":"24h"}""");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        using var endpoint =
            await site.PostAsync("/v1/batches", """{"input_file_id":"file-none","endpoint":"/v1/images","completion_window":"24h"}""");
        Assert.Equal(HttpStatusCode.BadRequest, endpoint.StatusCode);
        using var twice =
            await site.PostAsync("/v1/messages/batches", """{"requests":[{"custom_id":"a","params":{}},{"custom_id":"a","params":{}}]}""");
        Assert.Equal(HttpStatusCode.BadRequest, twice.StatusCode);
    }

    private static string Message(string model, string question) =>
        $$"""{"model":"{{model}}","max_tokens":50,"messages":[{"role":"user","content":"{{question}}"}]}""";

    private static string Line(string id, string model, string question) =>
        $$$"""{"custom_id":"{{{id}}}","method":"POST","url":"/v1/chat/completions","body":{{{Message(model, question)}}}}""";

    private async Task<JsonNode> StartAsync(IEnumerable<string> lines)
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent("batch"), "purpose" },
            { new ByteArrayContent(Encoding.UTF8.GetBytes(string.Join('\n', lines))), "file", "batch.jsonl" },
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/files") { Content = form };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "stoa-dev");
        using var uploaded = await site.Host.Client.SendAsync(request, Ct);
        var file = JsonNode.Parse(await uploaded.Content.ReadAsStringAsync(Ct))!;
        using var made = await site.PostAsync(
            "/v1/batches",
            $$$"""{"input_file_id":"{{{file["id"]}}}","endpoint":"/v1/chat/completions","completion_window":"24h","metadata":{"a":"b"}}""");
        var text = await made.Content.ReadAsStringAsync(Ct);
        Assert.True(made.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    private Task<List<JsonNode>> ReadAsync(string file) => LinesAsync($"/v1/files/{file}/content");

    private async Task<List<JsonNode>> LinesAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path)
        {
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", "stoa-dev") },
        };
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }
}
