using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Cache;
using Stoa.Gateway.Dialects;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>
/// Answers calls without an agent from the response cache, for clients that ask for it with <c>x-gtwy-cache: on</c>. Streams are never
/// cached. What is stored is an answer as it was sent, in the dialect of its surface.
/// </summary>
internal sealed class CallCache(ResponseCache cache, CallMeter meter, IOptions<GatewayOptions> options, TimeProvider time)
{
    /// <summary>
    /// Members that say who asks and how the answer travels, not what is asked. The model is in the key as it was resolved.
    /// </summary>
    private static readonly string[] LeftOut =
        ["model", "stream", "stream_options", "user", "metadata", "safety_identifier", "prompt_cache_key", "store"];

    public static bool IsWanted(HttpRequest request, in RequestOutline outline) =>
        !outline.IsStream && request.Headers.TryGetValue("x-gtwy-cache", out var wish)
        && string.Equals(wish.ToString(), "on", StringComparison.OrdinalIgnoreCase)
        && !request.Headers.CacheControl.ToString().Contains("no-store", StringComparison.OrdinalIgnoreCase);

    /// <param name="ask">Asks the provider and answers the client.</param>
    public Task AnswerAsync(HttpContext context, GatewayCall call, PooledBytes body, Func<Task> ask) =>
        EventThread.RunOnPool(() => AnswerOnPoolAsync(context, call, body, ask));

    private async Task AnswerOnPoolAsync(HttpContext context, GatewayCall call, PooledBytes body, Func<Task> ask)
    {
        var timeToLive = TimeToLive(context.Request);
        call.Cache = CacheUse.Miss;
        var found = await cache.GetOrRunAsync(KeyOf(context.Request, call, body.Span), timeToLive, AskAsync, context.RequestAborted);
        if (found is not null)
        {
            call.Cache = CacheUse.Hit;
            call.Attempts = 0;
            call.Usage = found.Usage;
            meter.Succeeded(call);
            AnswerHeaders.Write(context.Response, call, time);
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = found.Body.Length;
            await context.Response.BodyWriter.WriteAsync(found.Body, context.RequestAborted);
        }

        async Task<CachedAnswer?> AskAsync(CancellationToken ct)
        {
            await ask();
            return call is { Answer: { } answer, Usage: { } usage } && IsWhole(answer) ? new(answer, usage) : null;
        }
    }

    private TimeSpan TimeToLive(HttpRequest request)
    {
        if (request.Headers["x-gtwy-cache-ttl"].ToString() is not { Length: > 0 } given)
        {
            return TimeSpan.FromSeconds(options.Value.CacheTtlSeconds);
        }
        return int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            && seconds > 0 && seconds <= ResponseCache.MaxTimeToLive.TotalSeconds
            ? TimeSpan.FromSeconds(seconds)
            : throw Failure.Invalid(
                $"x-gtwy-cache-ttl must be a number of seconds from 1 to {ResponseCache.MaxTimeToLive.TotalSeconds}", "x-gtwy-cache-ttl");
    }

    private static CacheKey KeyOf(HttpRequest request, GatewayCall call, ReadOnlySpan<byte> body)
    {
        var headers =
            $"{PassedHeaders.AnthropicVersion(request)}\n{PassedHeaders.AnthropicBeta(request)}\n{request.Headers["x-gtwy-repair"]}";
        return CacheKey.Of(
            call.Key.OrganizationId, $"{call.Surface.Name}\n{call.Target.FullName}\n{headers}", CanonicalJson.Of(body, LeftOut).Span);
    }

    /// <summary>The model ended by itself: not cut, refused, or waiting for a tool.</summary>
    private static bool IsWhole(byte[] answer)
    {
        try
        {
            using var document = JsonDocument.Parse(answer);
            var root = document.RootElement;
            return root.Member("choices") is { ValueKind: JsonValueKind.Array } choices
                ? choices.EnumerateArray().All(choice => choice.TextOf("finish_reason") == "stop")
                : root.TextOf("stop_reason") is "end_turn" or "stop_sequence";
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
