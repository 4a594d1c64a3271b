using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace Stoa.Feedback.Datasets;

/// <summary>A line of a file that comes in: a whole tree, or one message of the flat form.</summary>
internal sealed record OasstLine(long Number, OasstTree? Tree, OasstMessage? Message);

/// <summary>Reads and opens the original's JSON lines, one line in memory at a time.</summary>
internal static class OasstFile
{
    private const int Buffer = 64 << 10;

    private static readonly Dictionary<string, OasstLabel> None = [];

    /// <summary>The file as text, decompressed where its first bytes say gzip, whatever its name.</summary>
    public static Stream OpenRead(string path)
    {
        var file = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.Read, Buffer, FileOptions.Asynchronous | FileOptions.SequentialScan);
        Span<byte> magic = stackalloc byte[2];
        var isGzip = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
        file.Position = 0;
        return isGzip ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    /// <exception cref="InvalidDataException">A line is no tree and no message; the message tells its number.</exception>
    public static async IAsyncEnumerable<OasstLine> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken ct)
    {
        using var lines = new StreamReader(stream, Encoding.UTF8, leaveOpen: true);
        for (var number = 1L; await lines.ReadLineAsync(ct) is { } line; number++)
        {
            if (!string.IsNullOrWhiteSpace(line))
            {
                yield return Parse(number, line);
            }
        }
    }

    private static OasstLine Parse(long number, string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line, new() { MaxDepth = 1_000 });
            // A flat line may name its tree too, so the prompt tells them apart.
            var read = json.RootElement.TryGetProperty("prompt", out _)
                ? new OasstLine(number, json.RootElement.Deserialize(DatasetJson.Default.OasstTree), null)
                : new OasstLine(number, null, json.RootElement.Deserialize(DatasetJson.Default.OasstMessage));
            return Wrong(read) is { } wrong ? throw new InvalidDataException($"Line {number}: {wrong}") : read;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"Line {number}: {error.Message}", error);
        }
    }

    private static string? Wrong(OasstLine line) => line switch
    {
        { Tree: { } tree } when tree.Prompt.MessageId != tree.MessageTreeId => "the prompt must have the id of its tree",
        { Tree: { Origin: var origin } } when !Fits(origin, 1_024) => "the origin of the tree cannot be stored",
        { Tree: { } tree } => tree.Messages().Select(Wrong).FirstOrDefault(wrong => wrong is not null),
        { Message: { } message } => Wrong(message),
        _ => "neither a tree nor a message",
    };

    private static string? Wrong(OasstMessage message) => message switch
    {
        { Role: not (OasstMessage.Prompter or OasstMessage.Assistant) } => $"message {message.MessageId} has no known role",
        { MessageId: var id } when !Guid.TryParse(id, out _) => $"'{id}' is no message id",
        { ParentId: { } parent } when !Guid.TryParse(parent, out _) => $"'{parent}' is no message id",
        { Text: var text } when !Fits(text, int.MaxValue) => $"message {message.MessageId} has a text with a NUL character",
        // As long as the columns.
        _ when !Fits(message.Lang, 32) || !Fits(message.ModelName, 1_024) =>
            $"message {message.MessageId} has a lang or a model name that cannot be stored",
        _ when (message.Labels ?? None).Any(label => !Fits(label.Key, 64) || label.Value is not { Count: > 0, Value: >= 0 and <= 1 }) =>
            $"message {message.MessageId} has a label that is no mean of numbers from 0 to 1",
        _ when (message.Emojis ?? new Dictionary<string, int>()).Keys.Any(emoji => !Fits(emoji, 128)) =>
            $"message {message.MessageId} has an emoji that cannot be stored",
        _ when (message.Replies ?? []).Any(reply => reply is null) => $"a reply to {message.MessageId} is null",
        _ when (message.Replies ?? []).Any(reply => reply.ParentId is { } parent && parent != message.MessageId) =>
            $"a reply to {message.MessageId} names another parent",
        _ => null,
    };

    private static bool Fits(string? text, int most) =>
        text is null || (text.Length <= most && !text.Contains('\0', StringComparison.Ordinal));
}
