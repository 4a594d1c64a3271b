using System.Text;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.Anthropic;

internal enum AnthropicBlockKind
{
    Text,
    Thinking,
    Redacted,
    Tool,
}

/// <summary>A block of an answer on its way to a client, with what of it must wait.</summary>
internal sealed class AnthropicBlock(int index, AnthropicBlockKind kind)
{
    public int Index => index;

    public AnthropicBlockKind Kind => kind;

    public int Position { get; set; }

    public string Id { get; set; } = "";

    public string Name { get; set; } = "";

    public string? Signature { get; set; }

    /// <summary>Pages that are still to be told.</summary>
    public Queue<Citation> Citations { get; } = [];

    /// <summary>Those that were: each is told once.</summary>
    public HashSet<string> Cited { get; } = new(StringComparer.Ordinal);

    public StringBuilder Buffer { get; } = new();

    public bool HasContent { get; set; }

    public bool IsEnded { get; set; }

    public bool IsClosed { get; set; }
}
