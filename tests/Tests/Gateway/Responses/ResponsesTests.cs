using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Responses;

public sealed class ResponsesTests(GatewaySite site) : IClassFixture<GatewaySite>
{
    private const string Path = "/v1/responses";

    private static readonly string[] Ends = ["response.completed", "response.incomplete", "response.failed"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_provider_that_speaks_it_gets_the_body_as_it_came_and_its_answer_is_kept()
    {
        var body = """{ "model":"openai/gpt-4o", "x_new":{"a":[1]},"input":"café ☕" , "instructions":"Be brief"}""";
        using var answer = await site.PostAsync(Path, body);
        var sent = site.OpenAi.Requests[^1];
        Assert.Equal("/v1/responses", sent.Path);
        Assert.Equal(JsonNode.Parse(body.Replace("openai/gpt-4o", "gpt-4o"))!.ToJsonString(), sent.Json!.ToJsonString());
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.Equal(text, (await site.GetAsync($"{Path}/{(string)JsonNode.Parse(text)!["id"]!}")).ToJsonString(ScriptedJson.Format));
        var record = await site.RecordAsync(answer);
        Assert.Equal(sent.Reported!.Input, (long)record["input_tokens"]!);
        Assert.Equal(sent.Reported!.CacheRead, (long)record["cache_read_tokens"]!);
        Assert.Equal("openai.responses", (string?)record["surface"]);
    }

    [Theory]
    [InlineData("openai/gpt-4o", null)]
    [InlineData("openai/gpt-4o", "openai_chat")]
    [InlineData("anthropic/claude", null)]
    [InlineData("demo/demo", null)]
    public async Task A_stream_numbers_its_events_and_its_parts_make_the_whole(string model, string? wire)
    {
        var events = await StreamAsync($$"""{"model":"{{model}}","stream":true,"input":"Grüße aus 東京 🗼"}""", wire);
        Assert.Equal(Enumerable.Range(0, events.Count), events.Select(step => (int)step["sequence_number"]!));
        Assert.Equal(["response.created", "response.in_progress"], events.Take(2).Select(step => (string)step["type"]!));
        var response = events[^1]["response"]!;
        Assert.Equal("response.completed", (string?)events[^1]["type"]);
        Assert.Equal("completed", (string?)response["status"]);
        var deltas = string.Concat(events.Where(step => (string?)step["type"] == "response.output_text.delta")
            .Select(step => (string)step["delta"]!));
        Assert.Equal(deltas, TextOf(response));
        Assert.NotEqual("", deltas);
        Assert.Equal(deltas, TextOf(await site.GetAsync($"{Path}/{(string)response["id"]!}")));
        Assert.True((long)response["usage"]!["total_tokens"]! > 0);
    }

    [Theory]
    [InlineData("openai/gpt-4o", null)]
    [InlineData("openai/gpt-4o", "openai_chat")]
    [InlineData("anthropic/claude", null)]
    public async Task Bytes_that_split_characters_and_events_are_put_together(string model, string? wire)
    {
        var provider = model.StartsWith("anthropic", StringComparison.Ordinal) ? site.Anthropic : site.OpenAi;
        provider.Enqueue(ScriptedAnswer.Text("Zürich 🗼 東京 response.completed \"usage\"").SplitBytes(1));
        var events = await StreamAsync($$"""{"model":"{{model}}","stream":true,"input":"x"}""", wire);
        Assert.Equal("Zürich 🗼 東京 response.completed \"usage\"", TextOf(events[^1]["response"]!));
        Assert.Single(events, step => Ends.Contains((string)step["type"]!));
    }

    [Theory]
    [InlineData("openai/gpt-4o", "openai_chat")]
    [InlineData("anthropic/claude", null)]
    public async Task Parallel_calls_come_in_fragments_and_their_results_go_back(string model, string? wire)
    {
        var provider = model.StartsWith("anthropic", StringComparison.Ordinal) ? site.Anthropic : site.OpenAi;
        provider.Enqueue(ScriptedAnswer.ToolCalls(
            new ScriptedCall("get_weather", """{"city":"Zürich"}"""), new ScriptedCall("get_weather", """{"city":"Oslo"}""")));
        const string tools =
            """[{"type":"function","name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}]""";
        var events = await StreamAsync($$"""{"model":"{{model}}","stream":true,"input":"Weather?","tools":{{tools}}}""", wire);
        var first = events[^1]["response"]!;
        var calls = first["output"]!.AsArray().Where(item => (string?)item!["type"] == "function_call").ToList();
        Assert.Equal(["""{"city":"Zürich"}""", """{"city":"Oslo"}"""], calls.Select(call => (string)call!["arguments"]!));
        Assert.True(events.Count(step => (string?)step["type"] == "response.function_call_arguments.delta") > 2);
        Assert.Equal(2, events.Count(step => (string?)step["type"] == "response.function_call_arguments.done"));

        var results = string.Join(',',
            calls.Select((call, at) => $$"""{"type":"function_call_output","call_id":"{{call!["call_id"]}}","output":"result {{at}}"}"""));
        var second = await CreateAsync(
            $$"""{"model":"{{model}}","previous_response_id":"{{first["id"]}}","input":[{{results}}],"tools":{{tools}}}""", wire);
        Assert.Equal("You said: result 1", TextOf(second));
        Assert.Equal((string?)first["id"], (string?)second["previous_response_id"]);
        Assert.Equal("get_weather", (string?)second["tools"]![0]!["name"]);
    }

    [Theory]
    [InlineData("anthropic/claude")]
    [InlineData("openai/gpt-4o")]
    public async Task A_response_goes_on_from_one_that_another_provider_gave(string next)
    {
        var first = await CreateAsync("""{"model":"anthropic/claude","input":"My name is Ada","instructions":"Only for this one"}""");
        var second = await CreateAsync($$"""{"model":"{{next}}","input":"What is it?","previous_response_id":"{{first["id"]}}"}""");
        var sent = (next.StartsWith("anthropic", StringComparison.Ordinal) ? site.Anthropic
            : site.OpenAi).Requests[^1].Json!.ToJsonString(ScriptedJson.Format);
        Assert.Contains("My name is Ada", sent, StringComparison.Ordinal);
        Assert.Contains("You said: My name is Ada", sent, StringComparison.Ordinal);
        Assert.Contains("What is it?", sent, StringComparison.Ordinal);
        Assert.DoesNotContain("Only for this one", sent, StringComparison.Ordinal);
        Assert.DoesNotContain("previous_response_id", sent, StringComparison.Ordinal);
        var items = await site.GetAsync($"{Path}/{(string)second["id"]!}/input_items?order=asc&limit=2");
        Assert.True((bool)items["has_more"]!);
        Assert.Equal("My name is Ada", (string?)items["data"]![0]!["content"]![0]!["text"]);
        var rest = await site.GetAsync($"{Path}/{(string)second["id"]!}/input_items?order=asc&after={(string)items["last_id"]!}");
        Assert.Equal("What is it?", (string?)rest["data"]![0]!["content"]![0]!["text"]);
    }

    [Fact]
    public async Task The_provider_that_keeps_a_response_itself_is_only_told_its_id()
    {
        var first = await CreateAsync("""{"model":"openai/gpt-4o","input":"one"}""");
        await CreateAsync($$"""{"model":"openai/gpt-4o","input":"two","previous_response_id":"{{first["id"]}}"}""");
        var sent = site.OpenAi.Requests[^1].Json!;
        Assert.Equal((string?)first["id"], (string?)sent["previous_response_id"]);
        Assert.Equal("two", (string?)sent["input"]);
    }

    [Fact]
    public async Task What_is_not_stored_or_deleted_is_not_found()
    {
        var unkept = await CreateAsync("""{"model":"anthropic/claude","input":"x","store":false}""");
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Get, $"{Path}/{(string)unkept["id"]!}")).StatusCode);
        var kept = await CreateAsync("""{"model":"anthropic/claude","input":"x"}""");
        var deleted =
            JsonNode.Parse(await (await SendAsync(HttpMethod.Delete, $"{Path}/{(string)kept["id"]!}")).Content.ReadAsStringAsync(Ct))!;
        Assert.True((bool)deleted["deleted"]!);
        using var answer =
            await site.PostAsync(Path, $$"""{"model":"anthropic/claude","input":"x","previous_response_id":"{{kept["id"]}}"}""");
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("previous_response_not_found", (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!["error"]!["code"]);
    }

    [Fact]
    public async Task A_response_in_the_background_is_queued_and_then_there()
    {
        var queued = await CreateAsync("""{"model":"anthropic/claude","input":"Later","background":true,"metadata":{"a":"b"}}""");
        Assert.Equal("queued", (string?)queued["status"]);
        await site.Host.RunJobsAsync();
        var made = await site.GetAsync($"{Path}/{(string)queued["id"]!}");
        Assert.Equal("completed", (string?)made["status"]);
        Assert.True((bool)made["background"]!);
        Assert.Equal("You said: Later", TextOf(made));
        var next = await CreateAsync($$"""{"model":"anthropic/claude","input":"Again","previous_response_id":"{{queued["id"]}}"}""");
        Assert.Equal("You said: Again", TextOf(next));
    }

    [Fact]
    public async Task A_response_in_the_background_can_be_cancelled_and_fails_in_words()
    {
        site.Anthropic.EnqueueFor("held", ScriptedAnswer.Text("never").Hold());
        var queued = await CreateAsync("""{"model":"anthropic/held","input":"Later","background":true}""");
        await site.Anthropic.NextRequestForAsync("held", Ct);
        using var cancelled = await SendAsync(HttpMethod.Post, $"{Path}/{(string)queued["id"]!}/cancel");
        Assert.Equal("cancelled", (string?)JsonNode.Parse(await cancelled.Content.ReadAsStringAsync(Ct))!["status"]);
        Assert.Equal("cancelled", (string?)(await site.GetAsync($"{Path}/{(string)queued["id"]!}"))["status"]);

        site.Anthropic.EnqueueFor("refusing",
            ScriptedAnswer.Error(400, """{"type":"error","error":{"type":"invalid_request_error","message":"no such thing"}}"""));
        var failing = await CreateAsync("""{"model":"anthropic/refusing","input":"Later","background":true}""");
        await site.Host.RunJobsAsync();
        var failed = await site.GetAsync($"{Path}/{(string)failing["id"]!}");
        Assert.Equal("failed", (string?)failed["status"]);
        Assert.Equal("no such thing", (string?)failed["error"]!["message"]);
    }

    [Fact]
    public async Task What_names_a_member_twice_is_kept_and_made_like_anything_else()
    {
        const string item = """{"type":"message","role":"user","content":"twice","x":1,"x":2,"id":7}""";
        var made = await CreateAsync($$"""{"model":"anthropic/claude","input":[{{item}}]}""");
        var kept = (await site.GetAsync($"{Path}/{(string)made["id"]!}/input_items"))["data"]![0]!;
        Assert.Equal(2, (int)kept["x"]!);
        Assert.StartsWith("msg_", (string)kept["id"]!, StringComparison.Ordinal);

        var queued = await CreateAsync($$"""{"model":"anthropic/claude","background":true,"user":"a","user":"b","input":[{{item}}]}""");
        await site.Host.RunJobsAsync();
        Assert.Equal("You said: twice", TextOf(await site.GetAsync($"{Path}/{(string)queued["id"]!}")));
    }

    [Fact]
    public async Task What_is_kept_is_nested_no_deeper_than_it_can_be_read_again()
    {
        var schema = string.Concat(Enumerable.Repeat("""{"type":"array","items":""", 80)) + "{}" + new string('}', 80);
        var tools = $$$$"""[{"type":"function","name":"f","parameters":{"type":"object","properties":{"a":{{{{schema}}}}}}}]""";
        using var refused = await site.PostAsync(Path, $$"""{"model":"anthropic/claude","input":"x","tools":{{tools}}}""");
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Equal("too_deep", (string?)JsonNode.Parse(await refused.Content.ReadAsStringAsync(Ct))!["error"]!["code"]);
    }

    [Theory]
    [InlineData("""{"model":"anthropic/claude"}""", "input")]
    [InlineData("""{"model":"anthropic/claude","input":[]}""", "input")]
    [InlineData("""{"model":"anthropic/claude","input":[{"role":"nobody","content":"x"}]}""", "input[0].role")]
    [InlineData("""{"model":"anthropic/claude","input":[{"type":"function_call_output","call_id":"c","output":"x"}]}""", "input[0]")]
    [InlineData("""{"model":"anthropic/claude","input":"x","tools":[{"type":"function"}]}""", "tools[0].name")]
    [InlineData("""{"model":"anthropic/claude","input":"x","background":true,"stream":true}""", "background")]
    [InlineData("""{"model":"anthropic/claude","input":"x","conversation":"conv_1"}""", "conversation")]
    [InlineData("""{"model":"anthropic/claude","input":"x","previous_response_id":7}""", "previous_response_id")]
    [InlineData("""{"model":"anthropic/claude","input":"x","text":{"format":{"type":"xml"}}}""", "text.format.type")]
    public async Task What_is_wrong_is_named_by_its_place(string body, string field)
    {
        using var answer = await site.PostAsync(Path, body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(field, (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!["error"]!["param"]);
    }

    [Theory]
    [InlineData("openai/gpt-4o", "error")]
    [InlineData("anthropic/claude", "response.failed")]
    public async Task A_stream_that_breaks_off_ends_with_a_failure(string model, string end)
    {
        var provider = model.StartsWith("anthropic", StringComparison.Ordinal) ? site.Anthropic : site.OpenAi;
        provider.Enqueue(ScriptedAnswer.Text("one two three four five").EndWithoutFinish());
        var events = await StreamAsync($$"""{"model":"{{model}}","stream":true,"input":"x"}""");
        Assert.Equal(end, (string?)events[^1]["type"]);
        Assert.DoesNotContain(events, step => (string?)step["type"] == "response.completed");
    }

    [Fact]
    public async Task A_chat_client_reaches_the_responses_endpoint_when_it_says_so()
    {
        using var answer = await PostAsync(
            "/v1/chat/completions",
            """{"model":"openai/gpt-4o","messages":[{"role":"system","content":"Be brief"},{"role":"user","content":"hello"}]}""",
            "openai_responses");
        var sent = site.OpenAi.Requests[^1];
        Assert.Equal("/v1/responses", sent.Path);
        Assert.Equal("Be brief", (string?)sent.Json!["instructions"]);
        Assert.False((bool)sent.Json!["store"]!);
        var completion = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!;
        Assert.Equal("You said: hello", (string?)completion["choices"]![0]!["message"]!["content"]);
        using var unknown = await PostAsync(
            "/v1/chat/completions", """{"model":"anthropic/claude","messages":[{"role":"user","content":"x"}]}""", "openai_responses");
        Assert.Equal(HttpStatusCode.BadRequest, unknown.StatusCode);
    }

    [Fact]
    public async Task A_prompt_of_a_megabyte_passes()
    {
        var prompt = string.Concat(Enumerable.Repeat("0123456789 ", 95_000));
        var response = await CreateAsync(new JsonObject { ["model"] = "anthropic/claude", ["input"] = prompt }.ToJsonString());
        Assert.Equal($"You said: {prompt}", TextOf(response));
    }

    private static string TextOf(JsonNode response) => string.Concat(response["output"]!.AsArray()
        .Where(item => (string?)item!["type"] == "message")
        .SelectMany(item => item!["content"]!.AsArray()).Select(part => (string?)part!["text"]));

    private async Task<JsonNode> CreateAsync(string body, string? wire = null)
    {
        using var answer = await PostAsync(Path, body, wire);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    private async Task<List<JsonNode>> StreamAsync(string body, string? wire = null)
    {
        using var answer = await PostAsync(Path, body, wire);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        var events = new List<JsonNode>();
        foreach (var frame in text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Where(frame => !frame.StartsWith(':')))
        {
            var lines = frame.Split('\n');
            var step = JsonNode.Parse(lines[1]["data: ".Length..])!;
            Assert.Equal($"event: {(string)step["type"]!}", lines[0]);
            events.Add(step);
        }
        return events;
    }

    private Task<HttpResponseMessage> PostAsync(string path, string body, string? wire) => SendAsync(HttpMethod.Post, path, body, wire);

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? body = null, string? wire = null)
    {
        using var request =
            new HttpRequestMessage(method, path) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", "stoa-dev") } };
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        if (wire is not null)
        {
            request.Headers.Add("x-gtwy-wire", wire);
        }
        return await site.Host.Client.SendAsync(request, Ct);
    }
}
