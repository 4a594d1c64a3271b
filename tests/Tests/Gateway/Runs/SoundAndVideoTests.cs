using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Stoa.Tests.Gateway.Runs;

/// <summary>Recordings and videos in runs, Gemini's Files API as Google documents it, and speech on Deepgram's wire.</summary>
public sealed class SoundAndVideoTests(SoundAndVideoTests.SoundSite site) : IClassFixture<SoundAndVideoTests.SoundSite>
{
    /// <summary>The beginning of a WAV file.</summary>
    private static readonly byte[] Wave = [.. "RIFF"u8, 4, 0, 0, 0, .. "WAVEfmt "u8];

    private static readonly byte[] Video = [0, 0, 0, 0x18, .. "ftypmp42"u8, 1, 2, 3];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_video_goes_to_Geminis_files_and_is_answered_when_it_can_be_watched()
    {
        var sent = Uploads("a1", ["PROCESSING", "ACTIVE"]);

        var (status, body) = await UploadAsync("video", "holiday.mp4", Video, ("apikey", "of-the-user"));

        Assert.Equal((HttpStatusCode.OK, "ACTIVE"), (status, (string)body["file_data"]!["state"]!));
        Assert.Equal(Video, await sent);
        Assert.Equal(("files/a1", "video/mp4", 15L),
            ((string)body["file_data"]!["name"]!, (string)body["file_data"]!["mime_type"]!, (long)body["file_data"]!["size_bytes"]!));
        Assert.Equal("12s", (string)body["file_data"]!["video_metadata"]!["video_duration"]!);
        Assert.EndsWith("/v1beta/files/a1", (string)body["file_data"]!["uri"]!, StringComparison.Ordinal);
        var opened = Assert.Single(site.Tools.Calls, call => call.Headers.GetValueOrDefault("X-Goog-Upload-Command") == "start"
            && (string)call.Body!["file"]!["display_name"]! == "holiday.mp4");
        Assert.Equal("/upload/v1beta/files", opened.Path);
        Assert.Equal(("resumable", "15", "video/mp4", "of-the-user"), (
            opened.Headers["X-Goog-Upload-Protocol"], opened.Headers["X-Goog-Upload-Header-Content-Length"],
            opened.Headers["X-Goog-Upload-Header-Content-Type"], opened.Headers["x-goog-api-key"]));
    }

    [Fact]
    public async Task A_video_of_the_web_is_fetched_where_that_is_allowed()
    {
        _ = Uploads("b2", ["ACTIVE"]);
        site.Tools.On("trip.mp4", context => BytesAsync(context, "video/mp4", Video));

        var (status, body) = await PostAsync($$"""{"video_url":"{{site.Tools.Address}}/trip.mp4","api_key":"k"}""");
        Assert.Equal((HttpStatusCode.OK, $"{site.Tools.Address}/trip.mp4"), (status, (string)body["original_url"]!));

        foreach (var refused in new[]
        {
            """{"video_url":"http://10.1.2.3/trip.mp4","api_key":"k"}""",
            """{"video_url":"file:///etc/passwd","api_key":"k"}""", """{"video_url":"x","api_key":"k"}""",
            $$"""{"video_url":"{{site.Tools.Address}}/trip.mp4"}""",
            $$"""{"video_url":"{{site.Tools.Address}}/echo","api_key":"k"}""", "{}", "[]", """{"video_url":7,"api_key":"k"}""",
        })
        {
            var (answered, _) = await PostAsync(refused);
            Assert.Equal((HttpStatusCode.BadRequest, refused), (answered, refused));
        }
    }

    [Fact]
    public async Task A_video_that_Gemini_cannot_read_or_take_is_said_to_be_so()
    {
        _ = Uploads("c3", ["FAILED"]);
        Assert.Equal(HttpStatusCode.InternalServerError, (await UploadAsync("video", "a.mov", Video, ("apikey", "k"))).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await UploadAsync("video", "a.webm", Video)).Status);

        // A key goes to its provider alone.
        site.Tools.On("files", context =>
        {
            context.Response.Headers["X-Goog-Upload-URL"] = "http://127.0.0.1:9/upload";
            return Task.CompletedTask;
        });
        Assert.Equal(HttpStatusCode.BadGateway, (await UploadAsync("file", "a.mkv", Video, ("apikey", "k"))).Status);

        site.Tools.On("files", context =>
        {
            context.Response.StatusCode = 400;
            return context.Response.WriteAsync(
                """{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}""", context.RequestAborted);
        });
        Assert.Equal(HttpStatusCode.BadRequest, (await UploadAsync("file", "a.avi", Video, ("apikey", "k"))).Status);
    }

    [Theory]
    [InlineData("a.docx")]
    [InlineData("a.XLS")]
    [InlineData("a.tar")]
    [InlineData("a.dll")]
    public async Task Files_that_no_model_reads_are_refused(string name) =>
        Assert.Equal(HttpStatusCode.BadRequest, (await UploadAsync("file", name, Video)).Status);

    [Fact]
    public async Task Gemini_watches_and_hears_what_a_run_brings()
    {
        site.Tools.Answers("gemini-2.5-flash:generateContent",
            """{"candidates":[{"content":{"parts":[{"text":"A ship"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":2}}""");
        site.Tools.On("speech.wav", context => BytesAsync(context, "application/octet-stream", Wave));
        var agent = await site.AgentAsync("""{"service":"gemini","configuration":{"model":"gemini-2.5-flash","response_type":"text"}}""");

        var (status, body) = await site.RunAsync($$"""
            {"bridge_id":"{{agent}}","user":"What is it?","thread_id":"watching","youtube_url":"https://www.youtube.com/watch?v=9hE5-98ZeCg",
             "video_data":{"name":"files/a1","uri":"https://generativelanguage.googleapis.com/v1beta/files/a1","mime_type":"video/mp4","state":"ACTIVE"},
             "user_urls":[{"type":"video","url":"https://example.org/clip.webm?x=1"},{"type":"audio","url":"{{site.Tools.Address}}/speech.wav"}]}
            """);

        Assert.Equal((HttpStatusCode.OK, "A ship"), (status, (string)body["response"]!["data"]!["content"]!));
        Assert.Equal("files/a1", (string)body["response"]!["data"]!["file_data"]!["name"]!);
        var parts = Assert.Single(site.Tools.Calls, call =>
            call.Body?.ToJsonString().Contains("What is it?", StringComparison.Ordinal) == true).Body!["contents"]![0]!["parts"]!.AsArray();
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse($$"""
            [{"inlineData":{"mimeType":"audio/wav","data":"{{Convert.ToBase64String(Wave)}}"} },
             {"fileData":{"mimeType":"video/mp4","fileUri":"https://generativelanguage.googleapis.com/v1beta/files/a1"} },
             {"fileData":{"fileUri":"https://www.youtube.com/watch?v=9hE5-98ZeCg"} },
             {"fileData":{"mimeType":"video/webm","fileUri":"https://example.org/clip.webm?x=1"} },
             {"text":"What is it?"}]
            """), parts), parts.ToJsonString());
        Assert.Equal(["audio", "video", "video", "video"],
            Assert.Single(await site.RowsAsync(agent)).Document["user_urls"]!.AsArray().Select(url => (string)url!["type"]!));

        // What was watched is not shown again, and does not stand in the way of the next question.
        var (next, _) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"And what else?","thread_id":"watching"}""");
        Assert.Equal(HttpStatusCode.OK, next);
        Assert.DoesNotContain("fileData", site.Tools.Calls.Last(
            call => call.Path.EndsWith(":generateContent", StringComparison.Ordinal)).Body!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenAi_hears_in_chat_completions_also_where_the_rest_is_asked_by_responses()
    {
        site.Tools.Answers("completions",
            """{"id":"c","object":"chat.completion","created":1,"model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}}""");
        site.Tools.On("speech.wav", context => BytesAsync(context, "application/octet-stream", Wave));

        foreach (var address in new[] { $"{site.Tools.Address}/speech.wav", $"data:audio/x-wav;base64,{Convert.ToBase64String(Wave)}" })
        {
            var (status, _) = await site.RunAsync($$"""
                {"service":"openai","configuration":{"model":"gpt-4o","response_type":"text"},"apikey":"k","user":"Say it","user_urls":[{"type":"audio","url":"{{address}}"}]}
                """);
            Assert.Equal(HttpStatusCode.OK, status);
            var heard = site.Tools.Calls.Last(
                call => call.Path == "/v1/chat/completions").Body!["messages"]!.AsArray()[^1]!["content"]![0]!;
            Assert.Equal(
                ("wav", Convert.ToBase64String(Wave)), ((string)heard["input_audio"]!["format"]!, (string)heard["input_audio"]!["data"]!));
        }
    }

    [Theory]
    [InlineData(
        """{"service":"anthropic","configuration":{"model":"claude-sonnet-4-5"},"user":"x","youtube_url":"https://youtu.be/abc"}""")]
    [InlineData(
        """{"service":"anthropic","configuration":{"model":"claude-sonnet-4-5"},"user":"x","user_urls":[{"type":"audio","url":"data:audio/wav;base64,UklGRg=="}]}""")]
    [InlineData("""{"service":"openai","configuration":{"model":"gpt-4o"},"user":"x","video_data":{"uri":"https://example.org/v"}}""")]
    [InlineData(
        """{"service":"gemini","configuration":{"model":"gemini-2.5-flash"},"user":"x","youtube_url":"https://youtube.com.example.org/watch"}""")]
    [InlineData("""{"service":"gemini","configuration":{"model":"gemini-2.5-flash"},"user":"x","video_data":{}}""")]
    [InlineData(
        """{"service":"gemini","configuration":{"model":"gemini-2.5-flash"},"user":"x","video_data":{"uri":"file:///etc/passwd"}}""")]
    [InlineData(
        """{"service":"gemini","configuration":{"model":"gemini-2.5-flash"},"user":"x","user_urls":[{"type":"audio","url":"http://10.0.0.1/a.mp3"}]}""")]
    [InlineData(
        """{"service":"gemini","configuration":{"model":"gemini-2.5-flash"},"user":"x","user_urls":[{"type":"audio","url":"data:text/plain;base64,eHh4"}]}""")]
    [InlineData("""{"service":"deepgram","apikey":"k","configuration":{"model":"nova-3"},"user":"hello"}""")]
    [InlineData(
        """{"service":"deepgram","apikey":"k","configuration":{"model":"nova-3"},"user_urls":[{"type":"audio","url":"ftp://example.org/a"}]}""")]
    [InlineData("""{"service":"openai","configuration":{"model":"text-embedding-3-small","type":"embedding"},"text":""}""")]
    public async Task What_a_model_cannot_hear_or_watch_is_refused(string run)
    {
        var (status, body) = await site.RunAsync(run);
        Assert.Equal((HttpStatusCode.BadRequest, false), (status, (bool)(body["success"] ?? body["detail"]!["success"])!));
    }

    [Fact]
    public async Task Deepgram_writes_down_what_is_said()
    {
        site.Tools.On("listen", context =>
        {
            site.Listened.Add(
                (context.Request.QueryString.Value!, context.Request.ContentType!, context.Request.Headers.Authorization.ToString()));
            return context.Response.WriteAsync("""
                {"metadata":{"request_id":"r-1","duration":2.5,"channels":1},"results":{"channels":[{"alternatives":[{"transcript":"Hello there.","confidence":0.99,"words":[]}]}]}}
                """, context.RequestAborted);
        });
        var agent = await site.AgentAsync(
            """{"service":"deepgram","configuration":{"model":"nova-3","smart_format":true,"language":"en-GB"}}""");

        var (status, body) =
            await site.RunAsync($$"""{"bridge_id":"{{agent}}","user_urls":[{"type":"audio","url":"https://example.org/call.mp3"}]}""");
        var (inline, _) = await site.RunAsync(
            $$"""{"bridge_id":"{{agent}}","user_urls":[{"type":"audio","url":"data:audio/wav;base64,{{Convert.ToBase64String(Wave)}}"}]}""");

        Assert.Equal((HttpStatusCode.OK, "Hello there.", "r-1"),
            (status, (string)body["response"]!["data"]!["content"]!, (string)body["response"]!["data"]!["id"]!));
        Assert.Equal(HttpStatusCode.OK, inline);
        Assert.Equal(("https://example.org/call.mp3", "Token of-deepgram"), (
            (string)Assert.Single(site.Tools.Calls, call => call.Path == "/v1/listen" && call.Body is not null).Body!["url"]!,
            site.Listened[0].Authorization));
        Assert.Contains("model=nova-3", site.Listened[0].Query, StringComparison.Ordinal);
        Assert.Contains("language=en-GB", site.Listened[0].Query, StringComparison.Ordinal);
        Assert.Contains("smart_format=true", site.Listened[0].Query, StringComparison.Ordinal);
        Assert.Equal("audio/wav", site.Listened[1].Type);
        Assert.Equal("Hello there.", (await site.RowsAsync(agent))[0].Answer);
        using var chat = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent("""{"model":"deepgram/nova-3","messages":[{"role":"user","content":"x"}]}""",
                System.Text.Encoding.UTF8, "application/json"),
        };
        chat.Headers.Authorization = new("Bearer", "stoa-dev");
        using var none = await site.Host.Client.SendAsync(chat, Ct);
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
    }

    [Fact]
    public async Task An_embedding_may_be_of_text()
    {
        site.Tools.Answers("embeddings",
            """{"object":"list","data":[{"index":0,"embedding":[0.5]}],"model":"m","usage":{"prompt_tokens":3,"total_tokens":3}}""");
        var (status, _) = await site.RunAsync(
            """{"service":"openai","configuration":{"model":"text-embedding-3-small","type":"embedding"},"text":"A ship at sea"}""");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains(
            "A ship at sea", site.Tools.Calls.Last(call => call.Path == "/v1/embeddings").Body!.ToJsonString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_model_of_OpenAi_draws_in_the_midst_of_its_answer(bool streams)
    {
        const string Picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
        site.Tools.Answers("responses", $$"""
            {"id":"resp_1","object":"response","created_at":1,"status":"completed","model":"gpt-5",
             "output":[{"type":"image_generation_call","id":"ig_1","status":"completed","revised_prompt":"A red ship","result":"{{Picture}}"},
               {"type":"image_generation_call","id":"ig_2","status":"failed","result":null},
               {"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Here it is.","annotations":[]}]}],
             "usage":{"input_tokens":5,"output_tokens":9,"total_tokens":14} }
            """);
        var agent = await site.AgentAsync(
            """{"service":"openai","configuration":{"model":"gpt-5","response_type":"text"},"built_in_tools":["image_generation"]}""");

        var data = streams
            ? (await site.StreamAsync(
                $$"""{"bridge_id":"{{agent}}","user":"Draw a ship","stream":true,"apikey":"k"}"""))[^1]["response"]!["response"]!["data"]!
            : (await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Draw a ship","apikey":"k"}""")).Body["response"]!["data"]!;

        Assert.Equal("Here it is.", (string?)data["content"]);
        using var read = await site.Host.Client.GetAsync(
            new Uri(new Uri((string)Assert.Single(data["images"]!.AsArray())!).AbsolutePath, UriKind.Relative), Ct);
        Assert.Equal(Convert.FromBase64String(Picture), await read.Content.ReadAsByteArrayAsync(Ct));
        var row = Assert.Single(await site.RowsAsync(agent));
        Assert.Equal("A red ship", (string?)row.Document["llm_urls"]![0]!["revised_prompt"]);
        var asked = site.Tools.Calls.Last(call => call.Path == "/v1/responses").Body!;
        Assert.Equal("""[{"type":"image_generation"}]""", asked["tools"]!.ToJsonString());
        Assert.NotEqual(true, (bool?)asked["stream"]);
    }

    /// <summary>Gemini's files: one that is in these states, one after the other.</summary>
    /// <returns>What was uploaded.</returns>
    private Task<byte[]> Uploads(string name, string[] states)
    {
        var sent = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        var looks = 0;
        site.Tools.On("files", async context =>
        {
            if (context.Request.Headers["X-Goog-Upload-Command"] == "start")
            {
                context.Response.Headers["X-Goog-Upload-URL"] =
                    $"{site.Tools.Address}/upload/v1beta/files?upload_id=u&upload_protocol=resumable";
                context.Response.Headers["X-Goog-Upload-Status"] = "active";
                return;
            }
            Assert.Equal(("upload, finalize", "0"),
                (context.Request.Headers["X-Goog-Upload-Command"].ToString(), context.Request.Headers["X-Goog-Upload-Offset"].ToString()));
            using var bytes = new MemoryStream();
            await context.Request.Body.CopyToAsync(bytes, context.RequestAborted);
            sent.TrySetResult(bytes.ToArray());
            await context.Response.WriteAsync($$"""{"file":{{FileOf(name, states[0])}}}""", context.RequestAborted);
        });
        site.Tools.On(name,
            context => context.Response.WriteAsync(FileOf(name, states[Math.Min(++looks, states.Length - 1)]), context.RequestAborted));
        return sent.Task;
    }

    private string FileOf(string name, string state) => $$"""
        {"name":"files/{{name}}","displayName":"holiday.mp4","mimeType":"video/mp4","sizeBytes":"15","createTime":"2026-03-01T12:00:00.000000Z",
         "updateTime":"2026-03-01T12:00:00.000000Z","expirationTime":"2026-03-03T12:00:00.000000Z","sha256Hash":"YQ==",
         "uri":"{{site.Tools.Address}}/v1beta/files/{{name}}","state":"{{state}}","source":"UPLOADED"{{(state == "ACTIVE" ? ""","videoMetadata":{"videoDuration":"12s"}""" : "")}}}
        """;

    private static Task BytesAsync(HttpContext context, string type, byte[] bytes)
    {
        context.Response.ContentType = type;
        return context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
    }

    private Task<(HttpStatusCode Status, JsonNode Body)> PostAsync(string body) => site.RunAsync(body, "/files/upload");

    private async Task<(HttpStatusCode Status, JsonNode Body)> UploadAsync(
        string field, string name, byte[] content, params (string Name, string Value)[] fields)
    {
        using var file = new ByteArrayContent(content);
        file.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using var form = new MultipartFormDataContent { { file, field, name } };
        foreach (var (key, value) in fields)
        {
            form.Add(new StringContent(value), key);
        }
        using var request = new HttpRequestMessage(HttpMethod.Post, "/files/upload") { Content = form };
        request.Headers.Add("pauthkey", "stoa-dev");
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!);
    }

    public sealed class SoundSite : RunSite
    {
        public List<(string Query, string Type, string Authorization)> Listened { get; } = [];

        protected override bool HasResponses => true;

        protected override void Configure(Dictionary<string, string?> settings)
        {
            settings["Gateway:Providers:openai:BaseUrl"] = $"{Tools.Address}/v1";
            settings["Gateway:Providers:gemini:Kind"] = "gemini";
            settings["Gateway:Providers:gemini:BaseUrl"] = Tools.Address;
            settings["Gateway:Providers:gemini:ApiKey"] = "of-gemini";
            settings["Gateway:Providers:deepgram:Kind"] = "deepgram";
            settings["Gateway:Providers:deepgram:BaseUrl"] = Tools.Address;
            settings["Gateway:Providers:deepgram:ApiKey"] = "of-deepgram";
        }
    }
}
