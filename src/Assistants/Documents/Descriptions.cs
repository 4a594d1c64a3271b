using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Users;
using Stoa.Gateway;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Documents;

/// <summary>
/// What the assistant knows of a user and of his company, listed among his documents. Kept in English, as prompts want it.
/// </summary>
internal sealed class Descriptions(AssistantsDb db, IModels models, IOptions<AssistantsOptions> options, TimeProvider time)
{
    private const int LongestTranslation = 4_000;

    public static IEnumerable<ResourcesApi.Document> Of(UserRow user)
    {
        if (user.Summary is { Length: > 0 } summary)
        {
            yield return new("user_description", "learned_by_mojo", "user_description",
                user.Name, user.CreatedAt, user.SummaryUpdatedAt ?? user.CreatedAt, summary);
        }
        if (user.CompanyDescription is { Length: > 0 } company)
        {
            yield return new(
                "company_description", "learned_by_mojo", "company_description", user.Name,
                user.CreatedAt, user.CompanyDescriptionUpdatedAt ?? user.CreatedAt, company);
        }
    }

    public async Task WriteAsync(UserRow user, bool isCompany, string edition, CancellationToken ct)
    {
        var text = user.LanguageCode == "en" ? edition : await TranslateAsync(user, edition, ct);
        var now = time.GetUtcNow();
        var own = db.Users.Where(row => row.Id == user.Id);
        await (isCompany
            ? own.ExecuteUpdateAsync(
                set => set.SetProperty(row => row.CompanyDescription, text).SetProperty(row => row.CompanyDescriptionUpdatedAt, now), ct)
            : own.ExecuteUpdateAsync(set => set.SetProperty(row => row.Summary, text).SetProperty(row => row.SummaryUpdatedAt, now), ct));
    }

    private async Task<string> TranslateAsync(UserRow user, string edition, CancellationToken ct)
    {
        var model = models.Pick(user.OrganizationId, [.. options.Value.Models])
            ?? throw Failure.Unavailable("No model can be asked", TimeSpan.FromMinutes(1));
        var material = new Material().Add("edition", edition).ToString();
        var reply = await models.AskAsync(
            new(user.OrganizationId, model, "assistants.translate_description", $"user:{user.Id}")
            {
                Instructions = CortexPrompts.Of("translate-description.1"),
                Turns = [new(ModelSpeaker.Person, ModelPart.Text(material))],
                MaxOutput = LongestTranslation,
            },
            onText: null, ct);
        var text = reply.Text.Replace("\0", "", StringComparison.Ordinal).Trim();
        return text.Length > 0 && !reply.IsCut ? text
            : throw new Failure(FailureKind.Upstream, "unusable_answer", "The model did not translate the text");
    }
}
