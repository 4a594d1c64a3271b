using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Engines;
using Stoa.Gateway;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.ProducedTexts;

/// <summary>
/// Makes the vector by which a version is found again. Without a model that makes vectors it is found by its words alone.
/// </summary>
internal sealed record EmbedProducedText(int VersionId)
{
    public const string Kind = "assistants.embed_produced_text";
}

internal sealed class EmbedProducedTextHandler(
    AssistantsDb db, IEmbeddings embeddings, EngineLimits limits, IOptions<AssistantsOptions> options)
    : IJobHandler<EmbedProducedText>
{
    // Models read so much at most; the beginning of a text says what it is about.
    private const int MostCharacters = 8_000;

    public async Task RunAsync(EmbedProducedText job, JobContext context, CancellationToken ct)
    {
        var version = await (
            from row in db.ProducedTextVersions
            where row.Id == job.VersionId
            join of in db.ProducedTexts on row.ProducedTextId equals of.Id
            join user in db.Users on of.UserId equals user.Id
            select new { user.OrganizationId, row.Title, row.Production }).FirstOrDefaultAsync(ct);
        var text = ForVector($"{version?.Title}\n{version?.Production}");
        if (version is null || text.Length == 0 || embeddings.Pick(version.OrganizationId, options.Value.EmbeddingModel) is not { } model)
        {
            return;
        }
        EmbeddingQuestion question = new(version.OrganizationId, model, "assistants.produced_texts", context.JobId.ToString(), text);
        var reply = await limits.AskAsync(model, context, goesOn: false, () => embeddings.EmbedAsync(question, ct), ct);
        context.Spent(reply.InputTokens, 0, reply.Cost);
        await db.ProducedTextVersions.Where(row => row.Id == job.VersionId).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.Embedding, reply.Vectors[0]).SetProperty(row => row.EmbeddingModel, reply.Model), ct);
    }

    public static string ForVector(string text)
    {
        var trimmed = text.Trim();
        return trimmed.Length <= MostCharacters ? trimmed
            : trimmed[..(char.IsHighSurrogate(trimmed[MostCharacters - 1]) ? MostCharacters - 1 : MostCharacters)];
    }
}
