using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Stoa.Gateway.Embeddings;
using Stoa.Gateway.Responses;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Completions;

/// <summary>What a call was answered.</summary>
internal sealed record InnerAnswer(int Status, string RequestId, ReadOnlyMemory<byte> Body)
{
    public bool IsSuccess => Status is >= 200 and < 300;
}

/// <summary>
/// Plays requests to the routes of <c>/v1</c> inside this process, for work that no client waits for. They take the very same way as a
/// client's: models, scopes, limits, providers, usage.
/// </summary>
internal sealed partial class InnerCalls(
    ChatApi chat, ResponsesApi responses, EmbeddingsApi embeddings, KeyRing keys, IServiceProvider services, TimeProvider time,
    ILogger<InnerCalls> logger)
{
    public const string Chat = "/v1/chat/completions";
    public const string Messages = "/v1/messages";
    public const string Responses = "/v1/responses";
    public const string Embeddings = "/v1/embeddings";

    /// <summary>The key as which work goes on; null when it was revoked since, or has expired.</summary>
    public ApiKey? Find(Guid keyId, string prefix) => keys.FindLive(keyId, prefix);

    /// <param name="headers">What its client asked of the Gateway itself.</param>
    public async Task<InnerAnswer> PostAsync(
        string path, ReadOnlyMemory<byte> body, ApiKey key, CancellationToken ct, IReadOnlyDictionary<string, string>? headers = null)
    {
        using var output = new MemoryStream();
        var context = new DefaultHttpContext
        {
            RequestServices = services,
            RequestAborted = ct,
            TraceIdentifier = Guid.CreateVersion7(time.GetUtcNow()).ToString(),
        };
        context.Request.Method = HttpMethods.Post;
        context.Request.Path = path;
        context.Request.ContentType = "application/json";
        context.Request.ContentLength = body.Length;
        foreach (var (name, value) in headers ?? new Dictionary<string, string>())
        {
            context.Request.Headers[name] = value;
        }
        context.Request.Body = new MemoryStream(body.ToArray(), writable: false);
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(output));
        context.Features.Set(key);
        // Providers' sockets continue on the event thread, where work that nobody waits for has no place.
        await EventThread.RunOnPool(() => AnswerAsync(context, path));
        ct.ThrowIfCancellationRequested();
        await context.Response.CompleteAsync();
        return new(context.Response.StatusCode, context.TraceIdentifier, output.ToArray());
    }

    private async Task AnswerAsync(HttpContext context, string path)
    {
        try
        {
            await (path switch
            {
                Chat => chat.CompleteAsync(context, ChatApi.OpenAi),
                Messages => chat.CompleteAsync(context, ChatApi.Anthropic),
                Responses => responses.CreateAsync(context),
                Embeddings => embeddings.EmbedAsync(context),
                _ => throw new Failure(FailureKind.NotFound, "unsupported_endpoint", $"There is no endpoint {path}"),
            });
        }
        catch (Exception thrown) when (thrown is not OperationCanceledException && !Outage.Is(thrown))
        {
            await (path == Messages ? ChatApi.Anthropic.Errors : ChatApi.OpenAi.Errors)
                .WriteAsync(context, thrown as Failure ?? Unforeseen(context, thrown));
        }
    }

    // One request that breaks something must not stop the work that it is a part of: its client is told what one who waits would be.
    private Failure Unforeseen(HttpContext context, Exception thrown)
    {
        LogBroken(thrown, context.TraceIdentifier);
        return new(FailureKind.Internal, "internal_error", "Something went wrong on our side");
    }

    [LoggerMessage(LogLevel.Error, "Something broke over {RequestId}")]
    private partial void LogBroken(Exception thrown, string requestId);
}
