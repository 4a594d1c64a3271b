using System.Text.Json;

namespace Stoa.Gateway.Chat;

/// <summary>One piece of a turn or of an answer.</summary>
internal abstract record Part
{
    private Part()
    {
    }

    /// <summary>Where the client marked a cache breakpoint, this part is its end.</summary>
    public CacheHint? Cache { get; init; }

    internal sealed record Text(string Value) : Part
    {
        /// <summary>Where the provider has it from; of answers only.</summary>
        public IReadOnlyList<Citation> Citations { get; init; } = [];
    }

    /// <param name="Detail"><c>auto</c>, <c>low</c> or <c>high</c>.</param>
    internal sealed record Image(Media Media, string? Detail = null) : Part;

    internal sealed record File(Media Media, string? Name = null) : Part;

    /// <param name="Format"><c>wav</c>, <c>mp3</c> or another that only some providers take.</param>
    internal sealed record Audio(string Base64, string Format) : Part;

    /// <summary>
    /// Sound that is only named by its address. No provider reads addresses: it is made <see cref="Audio"/> before it is sent.
    /// </summary>
    internal sealed record Recording(string Address) : Part;

    /// <param name="MimeType">Null where nobody knows it: a page that shows it.</param>
    internal sealed record Video(Media Media, string? MimeType = null) : Part;

    /// <param name="Arguments">JSON as the model wrote it; may be empty or broken.</param>
    internal sealed record ToolCall(string Id, string Name, string Arguments) : Part
    {
        /// <summary>A call of an OpenAI custom tool: the arguments are free text.</summary>
        public bool Custom { get; init; }

        /// <summary>What Gemini wants to see again beside this call (<c>thoughtSignature</c>); for no other provider.</summary>
        public string? Signature { get; init; }
    }

    internal sealed record ToolResult(string Id, IReadOnlyList<Part> Parts, bool IsError = false) : Part;

    /// <summary>Thoughts go back only to the dialect they came from.</summary>
    /// <param name="Redacted">The encrypted thoughts, when the provider shows no text.</param>
    internal sealed record Thinking(string Value, string? Signature, string? Redacted, Dialect Origin) : Part;

    internal sealed record Refusal(string Value) : Part;

    /// <summary>A block that only its own dialect understands.</summary>
    internal sealed record Foreign(Dialect Origin, string Kind, JsonElement Block) : Part;
}

/// <summary>Where the content of an image or a file is.</summary>
internal abstract record Media
{
    private Media()
    {
    }

    internal sealed record Url(string Address) : Media
    {
        /// <summary>Shown for what was said before: a question goes on without it where it cannot be sent.</summary>
        public bool IsOptional { get; init; }
    }

    internal sealed record Bytes(string MimeType, string Base64) : Media;

    internal sealed record PlainText(string Value) : Media;

    /// <summary>A file kept by the provider; usable with a provider of the same dialect only.</summary>
    internal sealed record Stored(string Id, Dialect Origin) : Media;
}
