using System.Globalization;
using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Cache;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Completions;

/// <summary>The headers that every answer of a call carries: what answered it, how often it was tried, how much is left.</summary>
internal static class AnswerHeaders
{
    private static readonly string[] SmallNumbers =
        [.. Enumerable.Range(0, 100).Select(number => number.ToString(CultureInfo.InvariantCulture))];

    public static void Write(HttpResponse response, GatewayCall call, TimeProvider time)
    {
        var headers = response.Headers;
        headers["x-gtwy-service"] = Ascii(call.Target.Provider.Name);
        headers["x-gtwy-model"] = Ascii(call.Target.Model);
        headers["x-gtwy-attempts"] = Text(call.Attempts);
        headers["x-gtwy-cache"] = call.Cache switch
        {
            CacheUse.Bypass => "bypass",
            CacheUse.Miss => "miss",
            CacheUse.Hit => "hit",
        };
        if (call.Surface.Dialect is Dialect.OpenAi or Dialect.OpenAiResponses)
        {
            headers["openai-version"] = "2020-10-01";
            headers["openai-processing-ms"] = Text((long)time.GetElapsedTime(call.Started).TotalMilliseconds);
        }
        else
        {
            headers["request-id"] = call.RequestId;
        }
        call.Surface.Limits.Write(headers, call.Admission.Requests, call.Admission.Tokens, time);
    }

    /// <summary>Headers hold ASCII only; a name in another script goes out percent-encoded.</summary>
    private static string Ascii(string name) =>
        System.Text.Ascii.IsValid(name) ? name : Uri.EscapeDataString(name);

    private static string Text(long number) =>
        number is >= 0 and < 100 ? SmallNumbers[number] : number.ToString(CultureInfo.InvariantCulture);
}
