using System.Text.Json;

namespace Stoa.Gateway.Dialects.Anthropic;

internal enum DeltaKind
{
    None,
    Text,
    Json,
    Thinking,
    Signature,

    /// <summary>An object, which has no text.</summary>
    Citation,
}

/// <summary>A <c>content_block_delta</c>, by far the most frequent event: it is read without a document.</summary>
/// <param name="Index">The block's.</param>
internal readonly record struct AnthropicDelta(int Index, DeltaKind Kind, string? Text)
{
    public static AnthropicDelta Read(ReadOnlySpan<byte> data)
    {
        var index = 0;
        var kind = DeltaKind.None;
        string? text = null;
        var reader = new Utf8JsonReader(data);
        reader.Read();
        while (reader.NextProperty())
        {
            if (reader.ValueTextEquals("index"u8))
            {
                index = reader.NextInteger() ?? 0;
            }
            else if (reader.ValueTextEquals("delta"u8) && reader.NextObject())
            {
                while (reader.NextProperty())
                {
                    var found = reader switch
                    {
                        _ when reader.ValueTextEquals("text"u8) => DeltaKind.Text,
                        _ when reader.ValueTextEquals("partial_json"u8) => DeltaKind.Json,
                        _ when reader.ValueTextEquals("thinking"u8) => DeltaKind.Thinking,
                        _ when reader.ValueTextEquals("signature"u8) => DeltaKind.Signature,
                        _ when reader.ValueTextEquals("citation"u8) => DeltaKind.Citation,
                        _ => DeltaKind.None,
                    };
                    if (found == DeltaKind.None)
                    {
                        reader.SkipValue();
                        continue;
                    }
                    (kind, text) = (found, reader.NextText());
                }
            }
            else if (reader.TokenType == JsonTokenType.PropertyName)
            {
                reader.SkipValue();
            }
        }
        return new(index, kind, text);
    }
}
