using System.Globalization;
using Microsoft.AspNetCore.Http;
using Stoa.Platform.Limits;

namespace Stoa.Gateway.Completions;

/// <summary>How a surface tells a key's limits: each API has its own names, and its own idea of a point in time.</summary>
internal abstract class LimitHeaders
{
    public static readonly LimitHeaders OpenAi = new OpenAiHeaders();
    public static readonly LimitHeaders Anthropic = new AnthropicHeaders();

    private readonly Names requestNames;
    private readonly Names tokenNames;

    private LimitHeaders(Func<string, Names> namesOf) => (requestNames, tokenNames) = (namesOf("requests"), namesOf("tokens"));

    /// <summary>Writes nothing for a key without limits.</summary>
    public void Write(IHeaderDictionary headers, LimitReading? requests, LimitReading? tokens, TimeProvider time)
    {
        if (requests is { } ofRequests)
        {
            Write(headers, requestNames, ofRequests, time);
        }
        if (tokens is { } ofTokens)
        {
            Write(headers, tokenNames, ofTokens, time);
        }
    }

    /// <summary><c>12ms</c>, <c>1s</c>, <c>6m0s</c>, <c>1h0m0s</c>: how OpenAI says when a limit is whole again. Rounded up.</summary>
    internal static string Duration(TimeSpan time)
    {
        if (time < TimeSpan.FromSeconds(1))
        {
            return string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (long)Math.Ceiling(time.TotalMilliseconds))}ms");
        }
        var seconds = (long)Math.Ceiling(time.TotalSeconds);
        return seconds switch
        {
            < 60 => string.Create(CultureInfo.InvariantCulture, $"{seconds}s"),
            < 3600 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60}m{seconds % 60}s"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600}h{seconds / 60 % 60}m{seconds % 60}s"),
        };
    }

    /// <summary>When the limit is whole again, as this API says it.</summary>
    protected abstract string ResetOf(LimitReading reading, TimeProvider time);

    private void Write(IHeaderDictionary headers, Names names, LimitReading reading, TimeProvider time)
    {
        headers[names.Limit] = reading.Limit.ToString(CultureInfo.InvariantCulture);
        headers[names.Remaining] = reading.Remaining.ToString(CultureInfo.InvariantCulture);
        headers[names.Reset] = ResetOf(reading, time);
    }

    // Made once: every answer carries them.
    private sealed record Names(string Limit, string Remaining, string Reset);

    private sealed class OpenAiHeaders() : LimitHeaders(
        what => new($"x-ratelimit-limit-{what}", $"x-ratelimit-remaining-{what}", $"x-ratelimit-reset-{what}"))
    {
        protected override string ResetOf(LimitReading reading, TimeProvider time) => Duration(reading.Reset);
    }

    private sealed class AnthropicHeaders() : LimitHeaders(
        what => new($"anthropic-ratelimit-{what}-limit", $"anthropic-ratelimit-{what}-remaining", $"anthropic-ratelimit-{what}-reset"))
    {
        protected override string ResetOf(LimitReading reading, TimeProvider time) =>
            (time.GetUtcNow() + reading.Reset).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    }
}
