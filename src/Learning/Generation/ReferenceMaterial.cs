using Microsoft.Extensions.Options;
using Stoa.Learning.Auth;
using Stoa.Learning.Files;
using Stoa.Learning.Submissions;
using Stoa.Platform.Http;

namespace Stoa.Learning.Generation;

/// <summary>The document that a course is made of.</summary>
internal sealed class ReferenceMaterial(SubmissionStore submissions, LearningFiles files, IOptions<GenerationOptions> options)
{
    /// <param name="key">Its key in the store, or its name as a local upload answered it; the id is the same in both.</param>
    /// <exception cref="Failure">404, 400.</exception>
    public Task<byte[]> ReadAsync(string key, CancellationToken ct) =>
        submissions.BytesAsync(Path.GetFileNameWithoutExtension(key), "pdf", options.Value.MaxReferenceMb, "document", ct);

    /// <exception cref="Failure">404: there is none that the caller may read. 400: it is too large.</exception>
    public async Task RequireAsync(Standing caller, string key, CancellationToken ct)
    {
        _ = await files.FindAsync(caller, Path.GetFileNameWithoutExtension(key), "pdf", ct) ?? throw Failure.NotFound("File");
        await ReadAsync(key, ct);
    }
}
