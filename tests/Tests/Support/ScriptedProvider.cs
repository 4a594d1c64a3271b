using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Stoa.Tests.Support;

/// <summary>
/// A model provider on loopback that speaks OpenAI's, Anthropic's and Gemini's own wire format. It answers what the test enqueued,
/// else a deterministic text with usage that <see cref="ScriptedUsage.For"/> predicts.
/// </summary>
public sealed class ScriptedProvider : IAsyncDisposable
{
    private const string AnyModel = "";

    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, ConcurrentQueue<ScriptedAnswer>> _scripts = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<ScriptedRequest> _requests = new();
    private readonly Channel<ScriptedRequest> _arrived = Channel.CreateUnbounded<ScriptedRequest>();
    private readonly Channel<ScriptedRequest> _aborted = Channel.CreateUnbounded<ScriptedRequest>();
    private int _answers;

    private ScriptedProvider(string key)
    {
        Key = key;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(server =>
        {
            server.Listen(IPAddress.Loopback, 0);
            server.Limits.MaxRequestBodySize = null;
            // What was written has left when the write returns: an answer that is then cut off has told what it was to tell.
            server.Limits.MaxResponseBufferSize = 0;
        });
        _app = builder.Build();
        _app.Run(HandleAsync);
    }

    /// <summary>
    /// The key that callers must send: as a bearer token, for Anthropic also in <c>x-api-key</c>, for Gemini in <c>x-goog-api-key</c> only.
    /// </summary>
    public string Key { get; }

    public Uri BaseAddress => new(_app.Urls.Single());

    public IReadOnlyList<string> Models { get; init; } = ["scripted-small", "scripted-large"];

    /// <summary>What is answered by what was asked, where no script says otherwise; null leaves it to the default.</summary>
    public Func<ScriptedRequest, ScriptedAnswer?>? Answering { get; set; }

    public IReadOnlyList<ScriptedRequest> Requests => [.. _requests];

    /// <summary>What was reported to callers up to now, over all calls whose usage left this server.</summary>
    public ScriptedUsage Reported => _requests.Select(request => request.Reported).OfType<ScriptedUsage>()
        .Aggregate(ScriptedUsage.None, (sum, usage) => sum + usage);

    public static async Task<ScriptedProvider> StartAsync(string key = "scripted-key")
    {
        var provider = new ScriptedProvider(key);
        await provider._app.StartAsync();
        return provider;
    }

    /// <summary>The answer to the next request that no model's own script covers.</summary>
    public void Enqueue(params ScriptedAnswer[] answers) => EnqueueFor(AnyModel, answers);

    /// <summary>The answers to the next requests for this model, so that scenarios can run side by side.</summary>
    public void EnqueueFor(string model, params ScriptedAnswer[] answers)
    {
        var queue = _scripts.GetOrAdd(model, _ => new());
        foreach (var answer in answers)
        {
            queue.Enqueue(answer);
        }
    }

    public IReadOnlyList<ScriptedRequest> RequestsFor(string model) => [.. _requests.Where(request => request.Model == model)];

    /// <summary>The next request that arrives (each is handed out once).</summary>
    public ValueTask<ScriptedRequest> NextRequestAsync(CancellationToken ct) => _arrived.Reader.ReadAsync(ct);

    /// <summary>The first request for this model, once it is there.</summary>
    public async Task<ScriptedRequest> NextRequestForAsync(string model, CancellationToken ct)
    {
        while (true)
        {
            if (RequestsFor(model) is [var found, ..])
            {
                return found;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, ct);
        }
    }

    /// <summary>The next request whose caller went away before its answer was complete (each is handed out once).</summary>
    public ValueTask<ScriptedRequest> NextAbortAsync(CancellationToken ct) => _aborted.Reader.ReadAsync(ct);

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var request = await ScriptedRequest.ReadAsync(context.Request, context.RequestAborted);
        _requests.Enqueue(request);
        _arrived.Writer.TryWrite(request);
        try
        {
            await AnswerAsync(context, request);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            request.NoteAbort();
            _aborted.Writer.TryWrite(request);
        }
    }

    private Task AnswerAsync(HttpContext context, ScriptedRequest request)
    {
        var dialect = ScriptedDialect.Of(context.Request);
        var delivery = new ScriptedDelivery(context, request, dialect);
        if (!dialect.IsAuthorized(context.Request, Key))
        {
            return delivery.ErrorAsync(dialect.WrongKeyStatus, "Incorrect API key provided.");
        }
        if (request.Method == HttpMethods.Get && request.Path == "/v1/models")
        {
            return delivery.JsonAsync(dialect.ModelList(Models));
        }
        if (request.Method != HttpMethods.Post)
        {
            return delivery.ErrorAsync(404, $"No such route: {request.Method} {request.Path}");
        }
        if (request.Path == "/v1/audio/transcriptions" && request.Form is { Files: [var recording] })
        {
            return TranscribeAsync(delivery, request, recording);
        }
        if (request.Json is not { } body || request.Model is not { } model)
        {
            return delivery.ErrorAsync(400, "The body must be a JSON object that names a model.");
        }
        return request.Path switch
        {
            var path when path.EndsWith(":batchEmbedContents", StringComparison.Ordinal) =>
                delivery.JsonAsync(ScriptedGemini.Embeddings(body)),
            var path when path.EndsWith(":generateContent", StringComparison.Ordinal)
                || path.EndsWith(":streamGenerateContent", StringComparison.Ordinal) =>
                CompleteAsync(delivery, dialect, request, body),
            "/v1/embeddings" => EmbedAsync(delivery, request, body),
            "/v1/messages/count_tokens" => delivery.JsonAsync(new JsonObject { ["input_tokens"] = ScriptedUsage.WordsIn(body) }),
            "/v1/chat/completions" or "/v1/messages" or "/v1/responses" => CompleteAsync(delivery, dialect, request, body),
            _ => delivery.ErrorAsync(404, $"No such route: {request.Method} {request.Path}"),
        };
    }

    private Task CompleteAsync(ScriptedDelivery delivery, ScriptedDialect dialect, ScriptedRequest request, JsonObject body)
    {
        var answer = Next(request);
        var reply = ScriptedReply.For(body, answer, Interlocked.Increment(ref _answers));
        return delivery.AnswerAsync(answer, reply, dialect, body);
    }

    private Task EmbedAsync(ScriptedDelivery delivery, ScriptedRequest request, JsonObject body)
    {
        var answer = Next(request);
        return answer.Status is { } status
            ? delivery.ErrorAsync(status, "Scripted error.", answer)
            : delivery.EmbeddingsAsync(body);
    }

    private async Task TranscribeAsync(ScriptedDelivery delivery, ScriptedRequest request, IFormFile recording)
    {
        var answer = Next(request);
        await (answer.Release ?? Task.CompletedTask);
        await (answer.Status is { } status
            ? delivery.ErrorAsync(status, "Scripted error.", answer)
            : delivery.JsonAsync(new JsonObject { ["text"] = answer.Words ?? $"{recording.FileName}: {recording.Length} bytes" }));
    }

    private ScriptedAnswer Next(ScriptedRequest request)
    {
        foreach (var name in (string[])[request.Model!, AnyModel])
        {
            if (_scripts.TryGetValue(name, out var queue) && queue.TryDequeue(out var answer))
            {
                return answer;
            }
        }
        return Answering?.Invoke(request) ?? ScriptedAnswer.Default;
    }
}
