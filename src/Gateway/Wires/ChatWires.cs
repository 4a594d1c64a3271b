using Stoa.Gateway.Chat;
using Stoa.Gateway.Wires.Anthropic;
using Stoa.Gateway.Wires.Gemini;
using Stoa.Gateway.Wires.OpenAi;

namespace Stoa.Gateway.Wires;

/// <summary>The wires that providers speak, by their kind.</summary>
internal static class ChatWires
{
    public static IProviderWire Of(Wire wire) => wire switch
    {
        Wire.OpenAi => OpenAiWire.Instance,
        Wire.Anthropic => AnthropicWire.Of(version: null),
        Wire.Gemini => GeminiWire.Instance,
    };
}
