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
        protected override string ResetOf(LimitReading reading, TimeProvider time) => LimitText.Duration(reading.Reset);
    }

    private sealed class AnthropicHeaders() : LimitHeaders(
        what => new($"anthropic-ratelimit-{what}-limit", $"anthropic-ratelimit-{what}-remaining", $"anthropic-ratelimit-{what}-reset"))
    {
        protected override string ResetOf(LimitReading reading, TimeProvider time) =>
            (time.GetUtcNow() + reading.Reset).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    }
}
