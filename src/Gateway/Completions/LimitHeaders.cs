using System.Globalization;
using Microsoft.AspNetCore.Http;
using Stoa.Platform.Limits;

namespace Stoa.Gateway.Completions;

/// <summary>How a surface tells a key's limits: each API has its own names, and its own idea of a point in time.</summary>
internal abstract class LimitHeaders
{
    public static readonly LimitHeaders OpenAi = new OpenAiHeaders();
    public static readonly LimitHeaders Anthropic = new AnthropicHeaders();

    /// <summary>Writes nothing for a key without limits.</summary>
    public void Write(IHeaderDictionary headers, LimitReading? requests, LimitReading? tokens, TimeProvider time)
    {
        if (requests is { } ofRequests)
        {
            Write(headers, "requests", ofRequests, time);
        }
        if (tokens is { } ofTokens)
        {
            Write(headers, "tokens", ofTokens, time);
        }
    }

    protected abstract void Write(IHeaderDictionary headers, string what, LimitReading reading, TimeProvider time);

    private sealed class OpenAiHeaders : LimitHeaders
    {
        protected override void Write(IHeaderDictionary headers, string what, LimitReading reading, TimeProvider time)
        {
            headers[$"x-ratelimit-limit-{what}"] = reading.Limit.ToString(CultureInfo.InvariantCulture);
            headers[$"x-ratelimit-remaining-{what}"] = reading.Remaining.ToString(CultureInfo.InvariantCulture);
            headers[$"x-ratelimit-reset-{what}"] = LimitText.Duration(reading.Reset);
        }
    }

    private sealed class AnthropicHeaders : LimitHeaders
    {
        protected override void Write(IHeaderDictionary headers, string what, LimitReading reading, TimeProvider time)
        {
            headers[$"anthropic-ratelimit-{what}-limit"] = reading.Limit.ToString(CultureInfo.InvariantCulture);
            headers[$"anthropic-ratelimit-{what}-remaining"] = reading.Remaining.ToString(CultureInfo.InvariantCulture);
            headers[$"anthropic-ratelimit-{what}-reset"] =
                (time.GetUtcNow() + reading.Reset).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        }
    }
}
