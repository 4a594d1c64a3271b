using System.Text.Json;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>The <c>usage</c> object of chat completions, their last chunk, and embeddings.</summary>
internal static class OpenAiUsage
{
    public static bool TryReadUsage(ReadOnlySpan<byte> json, out TokenUsage usage)
    {
        var reader = new Utf8JsonReader(json);
        usage = default;
        try
        {
            return reader.Read() && reader.TokenType == JsonTokenType.StartObject && TryRead(ref reader, out usage);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>The reader stands on the opening brace and is left on the closing one. False when there are no figures inside.</summary>
    public static bool TryRead(ref Utf8JsonReader reader, out TokenUsage usage)
    {
        long? input = null;
        long? output = null;
        long total = 0, cacheRead = 0, cacheWrite = 0, reasoning = 0, audioIn = 0, audioOut = 0;
        var promptSide = true;
        var depth = reader.CurrentDepth;
        while (reader.Read() && reader.CurrentDepth > depth)
        {
            if (reader.TokenType != JsonTokenType.PropertyName)
            {
                continue;
            }
            if (reader.ValueTextEquals("prompt_tokens"u8) || reader.ValueTextEquals("input_tokens"u8))
            {
                input = Number(ref reader);
            }
            else if (reader.ValueTextEquals("completion_tokens"u8) || reader.ValueTextEquals("output_tokens"u8))
            {
                output = Number(ref reader);
            }
            else if (reader.ValueTextEquals("prompt_tokens_details"u8) || reader.ValueTextEquals("input_tokens_details"u8))
            {
                promptSide = true;
            }
            else if (reader.ValueTextEquals("completion_tokens_details"u8) || reader.ValueTextEquals("output_tokens_details"u8))
            {
                promptSide = false;
            }
            else if (reader.ValueTextEquals("total_tokens"u8))
            {
                total = Number(ref reader) ?? 0;
            }
            else if (reader.ValueTextEquals("cached_tokens"u8) || reader.ValueTextEquals("prompt_cache_hit_tokens"u8)
                || reader.ValueTextEquals("cached_prompt_text_tokens"u8))
            {
                // DeepSeek and xAI have names of their own; what sends two of them means the same.
                cacheRead = Math.Max(cacheRead, Number(ref reader) ?? 0);
            }
            else if (reader.ValueTextEquals("cache_write_tokens"u8))
            {
                cacheWrite = Number(ref reader) ?? 0;
            }
            else if (reader.ValueTextEquals("reasoning_tokens"u8))
            {
                reasoning = Number(ref reader) ?? 0;
            }
            else if (reader.ValueTextEquals("audio_tokens"u8))
            {
                var audio = Number(ref reader) ?? 0;
                (audioIn, audioOut) = promptSide ? (audio, audioOut) : (audioIn, audio);
            }
        }
        if (reasoning > 0 && total == input + output + reasoning)
        {
            // xAI counts thoughts beside the answer, not as a part of it.
            output += reasoning;
        }
        usage = new(
            input ?? 0, output ?? 0, CacheRead: cacheRead, CacheWrite: cacheWrite,
            Reasoning: reasoning, AudioIn: audioIn, AudioOut: audioOut);
        return input is not null || output is not null;
    }

    public static void Write(Utf8JsonWriter json, TokenUsage usage)
    {
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, usage.Input);
        json.WriteNumber("completion_tokens"u8, usage.Output);
        json.WriteNumber("total_tokens"u8, usage.Total);
        json.WriteStartObject("prompt_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, usage.CacheRead);
        json.WriteNumber("audio_tokens"u8, usage.AudioIn);
        json.WriteNumber("cache_write_tokens"u8, usage.CacheWrite);
        json.WriteEndObject();
        json.WriteStartObject("completion_tokens_details"u8);
        json.WriteNumber("reasoning_tokens"u8, usage.Reasoning);
        json.WriteNumber("audio_tokens"u8, usage.AudioOut);
        json.WriteNumber("accepted_prediction_tokens"u8, 0);
        json.WriteNumber("rejected_prediction_tokens"u8, 0);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    // Null, text, negative and absurd figures say nothing.
    private static long? Number(ref Utf8JsonReader reader)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.Number)
        {
            reader.TrySkip();
            return null;
        }
        if (reader.TryGetInt64(out var number))
        {
            return number is >= 0 and <= TokenUsage.MaxFigure ? number : null;
        }
        return reader.TryGetDouble(out var rounded) && rounded is >= 0 and <= TokenUsage.MaxFigure ? (long)rounded : null;
    }
}
