using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary>
/// Anthropic's clients send signatures and redacted thoughts back unread. Those of another provider carry its name in front, so that
/// they find back to it and go to nobody else.
/// </summary>
internal static class ThoughtOrigin
{
    private const string Gemini = "gemini/";

    public static string Mark(string data, Dialect origin) => origin == Dialect.Gemini ? Gemini + data : data;

    public static (string? Data, Dialect Origin) Read(string? data) =>
        data?.StartsWith(Gemini, StringComparison.Ordinal) == true ? (data[Gemini.Length..], Dialect.Gemini) : (data, Dialect.Anthropic);
}
