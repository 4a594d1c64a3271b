using System.ComponentModel;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Documents;
using Stoa.Assistants.Users;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Companies;

internal sealed record CompanyFacts(
    [property: Description("What the company calls itself")] string Name,
    [property: Description("What it does and for whom, in three to six sentences, in English")] string Description,
    [property: Description("One emoji that stands for what it does")] string Emoji);

internal sealed record CompanyDescription([property: Description("The corrected description, complete, in English")] string Description);

/// <summary>Companies as their home pages describe them and their people correct them.</summary>
internal sealed class CompanyStore(AssistantsDb db, DocumentStore documents, Mind mind, TimeProvider time)
{
    private const int MostOfPage = 24_000;
    private const int MostOutput = 1_000;

    private static readonly AnswerForm<CompanyFacts> Facts = AnswerForms.Json("company", AnswersJson.Default.CompanyFacts);
    private static readonly AnswerForm<CompanyDescription> Corrected =
        AnswerForms.Json("company_description", AnswersJson.Default.CompanyDescription);

    /// <summary>Asks a model what the page says; whoever set the company waits for it.</summary>
    public Task<CompanyFacts> DescribeAsync(UserRow user, HomePage page, CancellationToken ct)
    {
        var text = page.Text.Length <= MostOfPage ? page.Text : page.Text[..MostOfPage];
        var material = new Material().Add("address", page.Url).Add("page_title", page.Title).Add("home_page", text);
        return mind.AskAsync(
            new(user.OrganizationId, "describe_company", CortexPrompts.Of("describe-company.1"),
                material.ToString()) { MaxOutput = MostOutput },
            Facts, $"user:{user.Id}", ct);
    }

    /// <summary>The user's from now on, and its website is read in the background.</summary>
    public async Task<(CompanyRow Company, JobReceipt Job)> SetAsync(UserRow user, string url, CompanyFacts facts, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var company = new CompanyRow
        {
            Name = facts.Name.Trim(), Website = url, Description = facts.Description.Trim(),
            Emoji = facts.Emoji.Trim(), CreatedAt = now, UpdatedAt = now,
        };
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        db.Add(company);
        await db.SaveChangesAsync(ct);
        await db.Users.Where(row => row.Id == user.Id).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.CompanyId, company.Id).SetProperty(row => row.CompanyDescription, company.Description)
                .SetProperty(row => row.CompanyDescriptionUpdatedAt, now), ct);
        // Nobody works for the one before it any more, unless others do.
        await db.Companies.Where(row => row.Id == user.CompanyId && !db.Users.Any(other => other.CompanyId == row.Id))
            .ExecuteDeleteAsync(ct);
        var job = await documents.ReadWebsiteAsync(user, url, company.Id, ct);
        await transaction.CommitAsync(ct);
        return (company, job);
    }

    /// <summary>The user's, with his own description of it. Null when he has none.</summary>
    public async Task<CompanyRow?> FindAsync(UserRow user, CancellationToken ct)
    {
        var company = await db.Companies.AsNoTracking().FirstOrDefaultAsync(row => row.Id == user.CompanyId, ct);
        if (company is not null)
        {
            company.Description = user.CompanyDescription ?? company.Description;
        }
        return company;
    }

    /// <summary>What he says of it outranks what stood there; of the same company others may think otherwise.</summary>
    public async Task<CompanyRow> CorrectAsync(UserRow user, CompanyRow company, string feedback, CancellationToken ct)
    {
        var material = new Material().Add("company_name", company.Name).Add("description", company.Description).Add("feedback", feedback);
        var corrected = await mind.AskAsync(
            new(user.OrganizationId, "correct_company", CortexPrompts.Of("correct-company.1"),
                material.ToString()) { MaxOutput = MostOutput },
            Corrected, $"user:{user.Id}", ct);
        company.Description = corrected.Description.Trim();
        await db.Users.Where(row => row.Id == user.Id).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.CompanyDescription, company.Description)
            .SetProperty(row => row.CompanyDescriptionUpdatedAt, time.GetUtcNow()), ct);
        return company;
    }
}
