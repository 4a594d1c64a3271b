using System.Runtime.InteropServices;
using System.Text.Json;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary>
/// The figures of an answer. A stream gives them in two places (<c>message_start</c>, then <c>message_delta</c>, which may repeat only
/// some): merge both, then read <see cref="Tokens"/>.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal struct AnthropicUsage
{
    private long? input;
    private long? output;
    private long cacheRead;
    private long cacheWrite;
    private long cacheWriteHour;
    private long thinking;

    /// <summary>Whether any figure has been seen.</summary>
    public readonly bool IsKnown => input is not null || output is not null;

    public readonly TokenUsage Tokens => new(
        (input ?? 0) + cacheRead + cacheWrite, output ?? 0, cacheRead, cacheWrite, cacheWriteHour, thinking);

    public static bool TryReadUsage(ReadOnlySpan<byte> json, out TokenUsage usage)
    {
        var figures = default(AnthropicUsage);
        var isRead = figures.Merge(json);
        usage = figures.Tokens;
        return isRead;
    }

    /// <summary>Takes over every figure the object holds; false when it is no object or holds none.</summary>
    public bool Merge(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }
            Merge(ref reader);
            return IsKnown;
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>The reader stands on the opening brace and is left on the closing one.</summary>
    public void Merge(ref Utf8JsonReader reader)
    {
        while (reader.NextProperty())
        {
            if (reader.ValueTextEquals("input_tokens"u8))
            {
                input = Number(ref reader) ?? input;
            }
            else if (reader.ValueTextEquals("output_tokens"u8))
            {
                output = Number(ref reader) ?? output;
            }
            else if (reader.ValueTextEquals("cache_read_input_tokens"u8))
            {
                cacheRead = Number(ref reader) ?? cacheRead;
            }
            else if (reader.ValueTextEquals("cache_creation_input_tokens"u8))
            {
                cacheWrite = Number(ref reader) ?? cacheWrite;
            }
            else if (reader.ValueTextEquals("ephemeral_1h_input_tokens"u8))
            {
                cacheWriteHour = Number(ref reader) ?? cacheWriteHour;
            }
            else if (reader.ValueTextEquals("thinking_tokens"u8))
            {
                thinking = Number(ref reader) ?? thinking;
            }
            else if (reader.ValueTextEquals("cache_creation"u8) || reader.ValueTextEquals("output_tokens_details"u8))
            {
                if (reader.NextObject())
                {
                    Merge(ref reader);
                }
            }
            else
            {
                reader.SkipValue();
            }
        }
    }

    public static void Write(Utf8JsonWriter json, TokenUsage usage, bool isNewer)
    {
        json.WriteStartObject("usage"u8);
        json.WriteNumber("input_tokens"u8, Math.Max(0, usage.Input - usage.CacheRead - usage.CacheWrite));
        json.WriteNumber("cache_creation_input_tokens"u8, usage.CacheWrite);
        json.WriteNumber("cache_read_input_tokens"u8, usage.CacheRead);
        json.WriteNumber("output_tokens"u8, usage.Output);
        if (usage.CacheWrite > 0)
        {
            json.WriteStartObject("cache_creation"u8);
            json.WriteNumber("ephemeral_5m_input_tokens"u8, Math.Max(0, usage.CacheWrite - usage.CacheWriteHour));
            json.WriteNumber("ephemeral_1h_input_tokens"u8, usage.CacheWriteHour);
            json.WriteEndObject();
        }
        else if (isNewer)
        {
            json.WriteNull("cache_creation"u8);
        }
        if (usage.Reasoning > 0)
        {
            json.WriteStartObject("output_tokens_details"u8);
            json.WriteNumber("thinking_tokens"u8, usage.Reasoning);
            json.WriteEndObject();
        }
        else if (isNewer)
        {
            json.WriteNull("output_tokens_details"u8);
        }
        if (isNewer)
        {
            json.WriteNull("inference_geo"u8);
            json.WriteNull("server_tool_use"u8);
            json.WriteNull("service_tier"u8);
            json.WriteNull("speed"u8);
        }
        json.WriteEndObject();
    }

    private static long? Number(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.Number)
        {
            reader.Skip();
            return null;
        }
        return reader.TryGetInt64(out var number) && number is >= 0 and <= TokenUsage.MaxFigure ? number : null;
    }
}
