using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>
/// One event of a stream, taken apart in one forward pass. Used again for the next event: this is the hot path of streams.
/// </summary>
internal sealed class OpenAiChunk
{
    public string? Id { get; private set; }

    public string? Model { get; private set; }

    public bool HasError { get; private set; }

    public TokenUsage? Usage { get; private set; }

    public List<Delta> Choices { get; } = [];

    internal sealed class Delta
    {
        public int Index { get; set; }

        public string? Content { get; set; }

        public string? Thoughts { get; set; }

        public string? Refusal { get; set; }

        public string? Finish { get; set; }

        public List<Call> Calls { get; } = [];

        public IReadOnlyList<Citation> Citations { get; set; } = [];
    }

    internal sealed record Call
    {
        public int? Index { get; set; }

        public string? Id { get; set; }

        public string? Name { get; set; }

        public string? Arguments { get; set; }
    }

    /// <summary>Throws <see cref="JsonException"/> when the data is not one JSON object.</summary>
    public void Parse(ReadOnlySpan<byte> data, bool withHead)
    {
        (Id, Model, HasError, Usage) = (null, null, false, null);
        Choices.Clear();
        var reader = new Utf8JsonReader(data, new JsonReaderOptions { MaxDepth = 128 });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("Not an object.");
        }
        while (reader.NextProperty())
        {
            if (reader.ValueTextEquals("choices"u8))
            {
                ReadChoices(ref reader);
            }
            else if (withHead && reader.ValueTextEquals("id"u8))
            {
                Id = reader.NextText();
            }
            else if (withHead && reader.ValueTextEquals("model"u8))
            {
                Model = reader.NextText();
            }
            else if (reader.ValueTextEquals("usage"u8))
            {
                ReadUsage(ref reader);
            }
            else if (reader.ValueTextEquals("x_groq"u8))
            {
                ReadGroq(ref reader);
            }
            else if (reader.ValueTextEquals("error"u8))
            {
                reader.Read();
                HasError |= reader.TokenType is JsonTokenType.StartObject or JsonTokenType.String;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("object"u8))
            {
                HasError |= reader.Read() && reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("error"u8);
                reader.Skip();
            }
            else
            {
                reader.SkipValue();
            }
        }
        if (reader.Read())
        {
            throw new JsonException("More than one value.");
        }
    }

    private void ReadUsage(ref Utf8JsonReader reader)
    {
        if (reader.NextObject() && OpenAiUsage.TryRead(ref reader, out var usage))
        {
            Usage = usage;
        }
    }

    private void ReadGroq(ref Utf8JsonReader reader)
    {
        if (!reader.NextObject())
        {
            return;
        }
        while (reader.NextProperty())
        {
            if (reader.ValueTextEquals("usage"u8))
            {
                ReadUsage(ref reader);
            }
            else
            {
                reader.SkipValue();
            }
        }
    }

    private void ReadChoices(ref Utf8JsonReader reader)
    {
        if (!reader.NextArray())
        {
            return;
        }
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                reader.Skip();
                continue;
            }
            var delta = new Delta();
            Choices.Add(delta);
            while (reader.NextProperty())
            {
                if (reader.ValueTextEquals("index"u8))
                {
                    delta.Index = Math.Max(0, reader.NextInteger() ?? 0);
                }
                else if (reader.ValueTextEquals("delta"u8))
                {
                    ReadDelta(ref reader, delta);
                }
                else if (reader.ValueTextEquals("finish_reason"u8))
                {
                    delta.Finish = reader.NextText();
                }
                else if (reader.ValueTextEquals("usage"u8))
                {
                    // Moonshot's place for it.
                    ReadUsage(ref reader);
                }
                else
                {
                    reader.SkipValue();
                }
            }
        }
    }

    private static void ReadDelta(ref Utf8JsonReader reader, Delta delta)
    {
        if (!reader.NextObject())
        {
            return;
        }
        while (reader.NextProperty())
        {
            if (reader.ValueTextEquals("content"u8))
            {
                ReadContent(ref reader, delta);
            }
            else if (reader.ValueTextEquals("reasoning_content"u8) || reader.ValueTextEquals("reasoning"u8))
            {
                // Servers that send both say the same twice.
                delta.Thoughts = reader.NextText() ?? delta.Thoughts;
            }
            else if (reader.ValueTextEquals("refusal"u8))
            {
                delta.Refusal = reader.NextText();
            }
            else if (reader.ValueTextEquals("tool_calls"u8))
            {
                ReadCalls(ref reader, delta);
            }
            else if (reader.ValueTextEquals("function_call"u8))
            {
                var call = new Call { Index = 0 };
                ReadFunction(ref reader, call);
                delta.Calls.Add(call);
            }
            else if (reader.ValueTextEquals("annotations"u8))
            {
                reader.Read();
                using var annotations = JsonDocument.ParseValue(ref reader);
                delta.Citations = OpenAiAnnotations.Read(annotations.RootElement);
            }
            else
            {
                reader.SkipValue();
            }
        }
    }

    // A list of chunks comes from servers that put thoughts among the text.
    private static void ReadContent(ref Utf8JsonReader reader, Delta delta)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
        {
            delta.Content = StreamText.Read(ref reader);
            return;
        }
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return;
        }
        using var list = JsonDocument.ParseValue(ref reader);
        foreach (var item in list.RootElement.EnumerateArray())
        {
            delta.Content += item.TextOf("text");
            foreach (var thought in item.ItemsOf("thinking"))
            {
                delta.Thoughts += thought.TextOf("text");
            }
        }
    }

    private static void ReadCalls(ref Utf8JsonReader reader, Delta delta)
    {
        if (!reader.NextArray())
        {
            return;
        }
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                reader.Skip();
                continue;
            }
            var call = new Call();
            delta.Calls.Add(call);
            while (reader.NextProperty())
            {
                if (reader.ValueTextEquals("index"u8))
                {
                    call.Index = reader.NextInteger();
                }
                else if (reader.ValueTextEquals("id"u8))
                {
                    call.Id = reader.NextText() is { Length: > 0 } id ? id : null;
                }
                else if (reader.ValueTextEquals("function"u8) || reader.ValueTextEquals("custom"u8))
                {
                    ReadFunction(ref reader, call);
                }
                else
                {
                    reader.SkipValue();
                }
            }
        }
    }

    private static void ReadFunction(ref Utf8JsonReader reader, Call call)
    {
        if (!reader.NextObject())
        {
            return;
        }
        while (reader.NextProperty())
        {
            if (reader.ValueTextEquals("name"u8))
            {
                call.Name = reader.NextText() is { Length: > 0 } name ? name : null;
            }
            else if (reader.ValueTextEquals("arguments"u8) || reader.ValueTextEquals("input"u8))
            {
                reader.Read();
                call.Arguments = reader.TokenType switch
                {
                    JsonTokenType.String => StreamText.Read(ref reader),
                    JsonTokenType.StartObject => Whole(ref reader),
                    _ => null,
                };
                reader.Skip();
            }
            else
            {
                reader.SkipValue();
            }
        }
    }

    private static string Whole(ref Utf8JsonReader reader)
    {
        using var value = JsonDocument.ParseValue(ref reader);
        return JsonOutput.Compact(value.RootElement);
    }
}
