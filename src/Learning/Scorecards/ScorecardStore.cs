using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Tasks;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Scorecards;

internal sealed record Criterion
{
    public required string Name { get; init; }

    public required string Description { get; init; }

    public required double MinScore { get; init; }

    public required double MaxScore { get; init; }

    public required double PassScore { get; init; }
}

internal sealed record ScorecardView(string Title, IReadOnlyList<Criterion> Criteria, int Id, PublishState Status);

/// <summary>By what subjective answers and assignments are judged.</summary>
internal sealed class ScorecardStore(LearningDb db)
{
    public async Task<List<ScorecardView>> ListAsync(int orgId, Page page, CancellationToken ct) =>
        (await db.Scorecards.AsNoTracking().Where(row => row.OrgId == orgId && (page.After == null || row.Id > page.After))
            .OrderBy(row => row.Id).Take(page.Size).ToListAsync(ct)).ConvertAll(View);

    public async Task<ScorecardView> CreateAsync(int orgId, string title, IReadOnlyList<Criterion> criteria, CancellationToken ct)
    {
        var row = new ScorecardRow { OrgId = orgId, Title = title, Criteria = Write(criteria) };
        db.Add(row);
        await db.SaveChangesAsync(ct);
        return View(row);
    }

    /// <exception cref="Failure">404.</exception>
    public async Task<ScorecardView> UpdateAsync(int id, string title, IReadOnlyList<Criterion> criteria, CancellationToken ct)
    {
        var row = await db.Scorecards.FirstOrDefaultAsync(row => row.Id == id, ct) ?? throw Failure.NotFound("Scorecard");
        (row.Title, row.Criteria) = (title, Write(criteria));
        await db.SaveChangesAsync(ct);
        return View(row);
    }

    /// <summary>What was brought over from before scorecards had a score to pass by passes with all points.</summary>
    public static IReadOnlyList<Criterion> Read(string criteria)
    {
        using var document = JsonDocument.Parse(criteria);
        return [.. document.RootElement.EnumerateArray().Select(criterion =>
        {
            var most = criterion.GetProperty("max_score").GetDouble();
            return new Criterion
            {
                Name = criterion.GetProperty("name").GetString() ?? "",
                Description = criterion.TryGetProperty("description", out var text) ? text.GetString() ?? "" : "",
                MinScore = criterion.GetProperty("min_score").GetDouble(),
                MaxScore = most,
                PassScore = criterion.TryGetProperty("pass_score", out var pass)
                && pass.ValueKind == JsonValueKind.Number ? pass.GetDouble() : most,
            };
        })];
    }

    private static string Write(IReadOnlyList<Criterion> criteria) =>
        JsonSerializer.Serialize(criteria, LearningJson.Default.IReadOnlyListCriterion);

    private static ScorecardView View(ScorecardRow row) => new(row.Title, Read(row.Criteria), row.Id, row.Status);
}
