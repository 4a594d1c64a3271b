using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Providers.Demo;

/// <summary>A number from the content of a request: the same question always gets the same answer, on every machine.</summary>
internal static class DemoSeed
{
    private const uint Offset = 2166136261;
    private const uint Prime = 16777619;

    public static int Of(ChatRequest request)
    {
        var hash = Offset;
        foreach (var turn in request.Turns)
        {
            foreach (var part in turn.Parts)
            {
                hash = part switch
                {
                    Part.Text text => Add(hash, text.Value),
                    Part.ToolCall call => Add(Add(hash, call.Name), call.Arguments),
                    _ => Add(hash, part.GetType().Name),
                };
            }
        }
        return (int)((hash ^ (uint)(request.Seed ?? 0)) & int.MaxValue);
    }

    /// <summary>FNV-1a, which unlike the runtime's own hash is the same in every process.</summary>
    public static uint Add(uint hash, ReadOnlySpan<char> text)
    {
        foreach (var letter in text)
        {
            hash = unchecked((hash ^ letter) * Prime);
        }
        return hash;
    }

    public static uint Hash(ReadOnlySpan<char> text) => Add(Offset, text);
}
