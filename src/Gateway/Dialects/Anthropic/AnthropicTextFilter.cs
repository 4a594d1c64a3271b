using System.Text;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary>
/// What happens to streamed text when the client asked for JSON: words before a forced call are held until it is known whether the call
/// comes, a wrapped value is unwrapped when it is whole, and a fence around a bare object is taken off.
/// </summary>
internal sealed class AnthropicTextFilter(ChatRequest request, DialectTarget target)
{
    private readonly StringBuilder held = new();
    private readonly CodeFence? fence = AnthropicFormat.WantsBareObject(request) ? new() : null;
    private readonly bool isWrapped = AnthropicFormat.IsWrapped(request);
    private readonly StringBuilder wrapped = new();

    public bool IsEmulating { get; } = AnthropicFormat.IsEmulated(request, target);

    /// <summary>The block that held text belongs to.</summary>
    public int TextIndex { get; private set; }

    public string TakeText(int index, string text)
    {
        if (fence is null && !IsEmulating)
        {
            return text;
        }
        TextIndex = index;
        if (fence is not null)
        {
            return fence.Take(text);
        }
        held.Append(text);
        return "";
    }

    public void Discard() => held.Clear();

    public string TakeFormat(string fragment)
    {
        if (!isWrapped)
        {
            return fragment;
        }
        wrapped.Append(fragment);
        return "";
    }

    public string CloseFormat()
    {
        held.Clear();
        return isWrapped ? AnthropicFormat.Unwrap(wrapped.ToString(), request) : "";
    }

    public string Rest()
    {
        var text = held.ToString();
        held.Clear();
        return fence is null ? text : fence.Rest();
    }
}
