using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;
using Stoa.Learning.Files;
using Stoa.Learning.Tutor;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;
using Stoa.Platform.Storage;

namespace Stoa.Learning.Submissions;

/// <summary>
/// Archives that were read lately, as text: a conversation about an assignment comes back to the same one with each turn.
/// </summary>
internal sealed class ArchiveCache : IDisposable
{
    private const long MaxCharacters = 16 << 20;

    private static readonly TimeSpan Unused = TimeSpan.FromMinutes(20);

    private readonly MemoryCache archives = new(new MemoryCacheOptions { SizeLimit = MaxCharacters });

    public string? Find(string uuid) => archives.Get<string>(uuid);

    public void Keep(string uuid, string text) =>
        archives.Set(uuid, text, new MemoryCacheEntryOptions { Size = text.Length, SlidingExpiration = Unused });

    public void Dispose() => archives.Dispose();
}

/// <summary>What learners have handed in or said, by the id that their upload was given.</summary>
internal sealed class SubmissionStore(LearningFiles files, ArchiveCache archives, IOptions<TutorOptions> options)
{
    /// <summary>The archive's files as text.</summary>
    /// <exception cref="Failure">404: there is no such file. 400: it is none that can be read.</exception>
    public async Task<string> ArchiveTextAsync(string uuid, CancellationToken ct)
    {
        if (archives.Find(uuid) is { } known)
        {
            return known;
        }
        var limits = options.Value;
        await using var content = await OpenAsync(uuid, "zip", ct);
        await using var archive = await SeekableAsync(content, (long)limits.MaxZipMb << 20, ct);
        var text = (await Submission.ReadAsync(archive, limits, ct)).ToText();
        archives.Keep(uuid, text);
        return text;
    }

    /// <exception cref="Failure">404: there is no such recording. 400: it is too large.</exception>
    public Task<byte[]> VoiceAsync(string uuid, CancellationToken ct) => BytesAsync(uuid, "wav", options.Value.MaxAudioMb, "recording", ct);

    /// <exception cref="Failure">404, 400.</exception>
    public async Task<byte[]> BytesAsync(string uuid, string extension, int maxMb, string what, CancellationToken ct)
    {
        await using var content = await OpenAsync(uuid, extension, ct);
        using var bytes = new MemoryStream();
        return await BoundedCopy.RunAsync(content, bytes, (long)maxMb << 20, ct) is not null
            ? bytes.ToArray() : throw Refusal.BadRequest($"The {what} is larger than {maxMb} MB");
    }

    private async Task<Stream> OpenAsync(string uuid, string extension, CancellationToken ct) =>
        await files.OpenAsync(uuid, extension, ct) ?? throw Failure.NotFound("File");

    /// <summary>An archive is read from its end; what comes over a network is put into a file for that.</summary>
    private async Task<Stream> SeekableAsync(Stream content, long most, CancellationToken ct)
    {
        if (content.CanSeek)
        {
            return content.Length <= most ? content : throw TooLarge();
        }
        var file = Draft.Open();
        try
        {
            return await BoundedCopy.RunAsync(content, file, most, ct) is not null ? file : throw TooLarge();
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    private Failure TooLarge() => Refusal.BadRequest($"The archive is larger than {options.Value.MaxZipMb} MB");
}
