using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Batches;

/// <summary>
/// The batch APIs of five vendors on loopback, each below a path of its own and in its vendor's form: <c>/openai/v1</c>, <c>/groq/v1</c>,
/// <c>/mistral/v1</c>, <c>/anthropic</c>, <c>/gemini</c>. Each line is answered as the scripted provider would answer the call.
/// </summary>
public sealed class BatchProvider : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, string> files = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, JsonArray> batches = new(StringComparer.Ordinal);
    private readonly WebApplication app;
    private int made;

    private BatchProvider()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(server => server.Listen(IPAddress.Loopback, 0));
        app = builder.Build();
        foreach (var vendor in (string[])["openai", "groq"])
        {
            MapFiles(vendor);
            app.MapPost($"/{vendor}/v1/batches",
                async (HttpRequest request) => Start(vendor, files[(string)(await BodyAsync(request))["input_file_id"]!]));
            app.MapGet($"/{vendor}/v1/batches/{{id}}", (string id) => Json(Progress(vendor, id,
                new() { ["id"] = id, ["object"] = "batch" }, "status", "in_progress", "completed", "failed", "output_file_id")));
            app.MapPost($"/{vendor}/v1/batches/{{id}}/cancel", (string id) => Json(new() { ["id"] = id }));
            app.MapPost($"/{vendor}/v1/chat/completions", async (HttpRequest request) => Json(Answer(vendor, await BodyAsync(request))));
        }
        MapFiles("mistral");
        app.MapPost("/mistral/v1/batch/jobs",
            async (HttpRequest request) => Start("mistral", files[(string)(await BodyAsync(request))["input_files"]![0]!]));
        app.MapGet("/mistral/v1/batch/jobs/{id}", (string id) => Json(
            Progress("mistral", id, new() { ["id"] = id, ["object"] = "batch" }, "status", "RUNNING", "SUCCESS", "FAILED", "output_file")));
        app.MapPost("/anthropic/v1/messages/batches",
            async (HttpRequest request) => StartMessages((await BodyAsync(request))["requests"]!.AsArray()));
        app.MapGet("/anthropic/v1/messages/batches/{id}", (string id) => Json(new() { ["id"] = id,
            ["processing_status"] = Looks.AddOrUpdate("anthropic", 1, (_, count) => count + 1) > Patience ? "ended" : "in_progress" }));
        app.MapGet("/anthropic/v1/messages/batches/{id}/results", (string id) => Results.Text(Lines(batches[id])));
        app.MapPost("/gemini/upload/v1beta/files", UploadRelatedAsync);
        app.MapPost("/gemini/v1beta/models/{model}", async (string model, HttpRequest request) =>
            StartGemini(model, (string)(await BodyAsync(request))["batch"]!["input_config"]!["file_name"]!));
        app.MapGet("/gemini/v1beta/batches/{id}", (string id) => Json(GeminiProgress($"batches/{id}")));
        app.MapGet("/gemini/download/v1beta/files/{id}", (string id) => Results.Text(files[id.Split(':')[0]]));
    }

    public string BaseAddress => app.Urls.Single();

    /// <summary>How often a batch is said to be under way before it is over.</summary>
    public int Patience { get; set; }

    public bool Fails { get; set; }

    public ConcurrentDictionary<string, int> Looks { get; } = new(StringComparer.Ordinal);

    /// <summary>The lines of all batches that were started, by vendor.</summary>
    public ConcurrentQueue<(string Vendor, JsonArray Lines)> Started { get; } = new();

    public static async Task<BatchProvider> StartAsync()
    {
        var provider = new BatchProvider();
        await provider.app.StartAsync();
        return provider;
    }

    /// <summary>As if it were new: for the next test of a class that shares it.</summary>
    public void Forget()
    {
        (Patience, Fails) = (0, false);
        Looks.Clear();
        Started.Clear();
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private void MapFiles(string vendor)
    {
        app.MapPost($"/{vendor}/v1/files", async (HttpRequest request) =>
        {
            Assert.Equal("Bearer secret", request.Headers.Authorization);
            var form = await request.ReadFormAsync();
            Assert.Equal("batch", form["purpose"]);
            using var reader = new StreamReader(form.Files["file"]!.OpenReadStream());
            return Json(new() { ["id"] = Keep(await reader.ReadToEndAsync()), ["object"] = "file" });
        });
        app.MapGet($"/{vendor}/v1/files/{{id}}/content", (string id) => Results.Text(files[id]));
    }

    private IResult Start(string vendor, string lines)
    {
        var parsed = Parse(lines);
        Started.Enqueue((vendor, parsed));
        var id = $"batch-{Interlocked.Increment(ref made)}";
        batches[id] = new JsonArray([.. parsed.Select(line => new JsonObject
        {
            ["id"] = "batch_req_1",
            ["custom_id"] = (string)line!["custom_id"]!,
            ["response"] =
                new JsonObject { ["status_code"] = 200, ["request_id"] = "r", ["body"] = Answer(vendor, line["body"]!.AsObject()) },
            ["error"] = null,
        })]);
        return Json(new() { ["id"] = id, ["object"] = "batch", ["status"] = "validating" });
    }

    private IResult StartMessages(JsonArray requests)
    {
        Started.Enqueue(("anthropic", requests.DeepClone().AsArray()));
        var id = $"msgbatch_{Interlocked.Increment(ref made)}";
        batches[id] = new JsonArray([.. requests.Select(line => new JsonObject
        {
            ["custom_id"] = (string)line!["custom_id"]!,
            ["result"] = new JsonObject { ["type"] = "succeeded", ["message"] = Answer("anthropic", line["params"]!.AsObject()) },
        })]);
        return Json(new() { ["id"] = id, ["type"] = "message_batch", ["processing_status"] = "in_progress" });
    }

    private IResult StartGemini(string model, string file)
    {
        Assert.EndsWith(":batchGenerateContent", model, StringComparison.Ordinal);
        var parsed = Parse(files[file["files/".Length..]]);
        Started.Enqueue(("gemini", parsed));
        var id = $"batches/{Interlocked.Increment(ref made)}";
        batches[id] = new JsonArray([.. parsed.Select(line => new JsonObject
        {
            ["key"] = (string)line!["key"]!, ["response"] = Answer("gemini", line["request"]!.AsObject()),
        })]);
        return Json(new() { ["name"] = id, ["metadata"] = new JsonObject { ["state"] = "BATCH_STATE_PENDING" } });
    }

    private JsonObject GeminiProgress(string id) => Looks.AddOrUpdate("gemini", 1, (_, count) => count + 1) > Patience
        ? new()
        {
            ["name"] = id,
            ["done"] = true,
            ["metadata"] = new JsonObject { ["state"] = "JOB_STATE_SUCCEEDED" },
            ["response"] = new JsonObject { ["responsesFile"] = $"files/{Keep(Lines(batches[id]))}" },
        }
        : new() { ["name"] = id, ["metadata"] = new JsonObject { ["state"] = "BATCH_STATE_RUNNING" } };

    private JsonObject Progress(
        string vendor, string id, JsonObject batch, string field, string running, string ended, string failed, string file)
    {
        if (Looks.AddOrUpdate(vendor, 1, (_, count) => count + 1) <= Patience)
        {
            batch[field] = running;
            return batch;
        }
        batch[field] = Fails ? failed : ended;
        batch[file] = Fails ? null : Keep(Lines(batches[id]));
        return batch;
    }

    private async Task<IResult> UploadRelatedAsync(HttpRequest request)
    {
        Assert.Equal("secret", request.Headers["x-goog-api-key"]);
        var boundary = HeaderUtilities.RemoveQuotes(MediaTypeHeaderValue.Parse(request.ContentType).Boundary).Value!;
        var reader = new MultipartReader(boundary, request.Body);
        await reader.ReadNextSectionAsync();
        using var content = new StreamReader((await reader.ReadNextSectionAsync())!.Body);
        return Json(new() { ["file"] = new JsonObject { ["name"] = $"files/{Keep(await content.ReadToEndAsync())}" } });
    }

    private JsonObject Answer(string vendor, JsonObject body)
    {
        var reply = ScriptedReply.For(body, ScriptedAnswer.Default, Interlocked.Increment(ref made));
        ScriptedDialect dialect = vendor switch { "anthropic" => new ScriptedAnthropic(isRecent: false),
            "gemini" => new ScriptedGemini(), _ => new ScriptedOpenAi() };
        return dialect.Body(reply, body);
    }

    private string Keep(string content)
    {
        var id = $"file{Interlocked.Increment(ref made)}";
        files[id] = content;
        return id;
    }

    private static string Lines(JsonArray lines) => string.Concat(lines.Select(line => line!.ToJsonString(ScriptedJson.Format) + "\n"));

    private static JsonArray Parse(string lines) =>
        new([.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line))]);

    private static async Task<JsonObject> BodyAsync(HttpRequest request) => (await JsonNode.ParseAsync(request.Body))!.AsObject();

    private static IResult Json(JsonObject body) => Results.Text(body.ToJsonString(ScriptedJson.Format), "application/json", Encoding.UTF8);
}
