using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Users;
using Stoa.Gateway;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Messages;

/// <summary>Writes down what users say instead of writing it. The recording itself is kept nowhere.</summary>
internal sealed class SpokenMessages(ITranscriptions transcriptions, IOptions<AssistantsOptions> options) : IDisposable
{
    /// <summary>As much as providers take.</summary>
    private const int MostBytes = 25 << 20;

    // Each is in memory while somebody listens to it.
    private const int MostAtOnce = 8;

    private readonly SemaphoreSlim places = new(MostAtOnce, MostAtOnce);
    private readonly ConcurrentDictionary<(string Session, string Message), bool> heard = new();

    public void Dispose() => places.Dispose();

    /// <summary>Null: this host is at it, for an earlier request with the same message.</summary>
    public async Task<string?> WriteDownAsync(
        UserRow user, MessagesApi.NewMessage message, IFormFile file, string requestId, CancellationToken ct)
    {
        if (file.Length > MostBytes)
        {
            throw new Failure(FailureKind.TooLarge, "too_large", $"A recording may have {MostBytes >> 20} MB");
        }
        var model = transcriptions.Pick(user.OrganizationId, options.Value.SpeechModel)
            ?? throw Failure.Invalid("Audio messages need a speech model, and none is configured", "file", "speech_not_configured");
        if (!heard.TryAdd((message.SessionId, message.MessageId), true))
        {
            return null;
        }
        try
        {
            await places.WaitAsync(ct);
            try
            {
                using var bytes = new MemoryStream((int)file.Length);
                await file.CopyToAsync(bytes, ct);
                var said = await transcriptions.WriteDownAsync(
                    new(user.OrganizationId, model, "assistants.speech", requestId, bytes.ToArray(), file.FileName, file.ContentType), ct);
                var text = said.Replace("\0", "", StringComparison.Ordinal);
                return text.Length is > 0 and <= Wire.Fields.LongText ? text
                    : throw Failure.Invalid("Nothing that is said can be heard in the recording", "file");
            }
            finally
            {
                places.Release();
            }
        }
        finally
        {
            heard.TryRemove((message.SessionId, message.MessageId), out _);
        }
    }
}
