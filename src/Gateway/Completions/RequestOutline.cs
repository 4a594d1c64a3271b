using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Stoa.Gateway.Bytes;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>
/// What the Gateway must know of a request to route, limit and forward it, and where it stands in the body. Everything else in
/// the body is the provider's to judge.
/// </summary>
internal readonly struct RequestOutline
{
    /// <summary>About what vendors count for a picture of 1,000 by 1,000 points, or for a page of a document.</summary>
    private const int TokensOfFile = 1_000;

    /// <summary>Where the value of <c>model</c> stands, quotes included.</summary>
    public Range Model { get; private init; }

    public bool IsStream { get; private init; }

    /// <summary>Where the value of <c>stream_options</c> stands, which may be <c>null</c>; null when there is none.</summary>
    public Range? StreamOptions { get; private init; }

    /// <summary><c>max_tokens</c>, <c>max_completion_tokens</c> or <c>max_output_tokens</c>; 0 when not given.</summary>
    public long MaxOutput { get; private init; }

    /// <summary>Tokens that the prompt may come to: four bytes each, and <see cref="TokensOfFile"/> for an image or a document.</summary>
    public long EstimatedInput { get; private init; }

    /// <summary>The position behind the opening brace, where a member can be put in.</summary>
    public int FirstMember { get; private init; }

    /// <summary>Of a call that has no body, because it is made in this process.</summary>
    public static RequestOutline Of(bool isStream, long estimatedInput) => new() { IsStream = isStream, EstimatedInput = estimatedInput };

    /// <exception cref="Failure">Not JSON, not an object, no usable model.</exception>
    public static RequestOutline Read(ReadOnlySpan<byte> body)
    {
        if (!Utf8.IsValid(body))
        {
            throw Failure.Invalid("The request body is not valid UTF-8", code: "invalid_json");
        }
        Range? model = null, stream = null, options = null;
        var maxOutput = 0L;
        var members = new JsonMembers(body);
        while (members.Next())
        {
            var member = members.Current;
            var name = body[member.Name];
            if (member.NameIsEscaped)
            {
                // Rare, but "mod\u0065l" is model: what we check must be what the provider reads.
                name = Unescape(body, member.Name);
            }
            RefuseOtherCase(name);
            switch (name.Length)
            {
                case 5 when name.SequenceEqual("model"u8):
                    model = Once(model, member.Value, "model");
                    break;
                case 6 when name.SequenceEqual("stream"u8):
                    stream = Once(stream, member.Value, "stream");
                    break;
                case 14 when name.SequenceEqual("stream_options"u8):
                    options = Once(options, member.Value, "stream_options");
                    break;
                case 10 when name.SequenceEqual("max_tokens"u8):
                case 17 when name.SequenceEqual("max_output_tokens"u8):
                case 21 when name.SequenceEqual("max_completion_tokens"u8):
                    maxOutput = Math.Max(maxOutput, Number(body[member.Value]));
                    break;
            }
        }
        if (!members.IsValid)
        {
            throw Failure.Invalid("The request body is not a JSON object", code: "invalid_json");
        }
        if (model is not { } named)
        {
            throw Failure.Invalid("you must provide a model parameter", "model", "missing_required_parameter");
        }
        if (body[named][0] != '"')
        {
            throw Failure.Invalid("model must be a string", "model", "invalid_type");
        }
        return new()
        {
            Model = named,
            IsStream = stream is { } given && Flag(body[given], "stream"),
            StreamOptions = options,
            MaxOutput = maxOutput,
            EstimatedInput = ((body.Length - members.Files.Bytes) / 4) + (members.Files.Count * TokensOfFile),
            FirstMember = body.IndexOf((byte)'{') + 1,
        };
    }

    /// <summary>The name of the model in UTF-8, unescaped.</summary>
    public ReadOnlySpan<byte> ModelName(ReadOnlySpan<byte> body)
    {
        var text = body[Model];
        return text.Contains((byte)'\\') ? Unescape(text) : text[1..^1];
    }

    /// <summary>Some servers take <c>Model</c> for <c>model</c>, and the last one counts: they would read what we did not check.</summary>
    private static void RefuseOtherCase(ReadOnlySpan<byte> name)
    {
        if (name.Length is not (5 or 6 or 14))
        {
            return;
        }
        foreach (var known in (ReadOnlySpan<string>)["model", "stream", "stream_options"])
        {
            if (Ascii.EqualsIgnoreCase(name, known) && !Ascii.Equals(name, known))
            {
                throw Failure.Invalid($"The name of {known} is written in lower case", known, "unknown_parameter");
            }
        }
    }

    private static Range Once(Range? earlier, Range value, string name) =>
        earlier is null ? value : throw Failure.Invalid($"{name} is given twice", name, "duplicate_parameter");

    private static bool Flag(ReadOnlySpan<byte> value, string name) =>
        value.SequenceEqual("true"u8) || (value.SequenceEqual("false"u8) || value.SequenceEqual("null"u8)
            ? false
            : throw Failure.Invalid($"{name} must be true or false", name, "invalid_type"));

    private static long Number(ReadOnlySpan<byte> value) =>
        Utf8Parser.TryParse(value, out long number, out var used) && used == value.Length ? Math.Clamp(number, 0, int.MaxValue) : 0;

    private static ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> body, Range name)
    {
        var (offset, length) = name.GetOffsetAndLength(body.Length);
        return Unescape(body.Slice(offset - 1, length + 2));
    }

    private static ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> quoted)
    {
        try
        {
            var reader = new Utf8JsonReader(quoted);
            reader.Read();
            var text = new byte[quoted.Length];
            return text.AsSpan(0, reader.CopyString(text));
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw Failure.Invalid("The request body holds a broken escape", code: "invalid_json");
        }
    }
}
