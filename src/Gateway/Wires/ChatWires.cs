using Stoa.Gateway.Chat;
using Stoa.Gateway.Wires.Anthropic;
using Stoa.Gateway.Wires.OpenAi;

namespace Stoa.Gateway.Wires;

/// <summary>The wires we speak, by their kind.</summary>
internal static class ChatWires
{
    public static IChatWire Of(Wire wire) => wire switch
    {
        Wire.OpenAi => OpenAiWire.Instance,
        Wire.Anthropic => AnthropicWire.Of(version: null),
    };
}
