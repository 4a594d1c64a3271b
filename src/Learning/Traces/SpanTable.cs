using System.Globalization;
using System.Text;
using Stoa.Gateway;
using Stoa.Learning.Tutor;
using Stoa.Platform.Jobs;
using Stoa.Platform.Storage;

namespace Stoa.Learning.Traces;

/// <summary>A day's calls of models for schools as a table (RFC 4180): <c>phoenix/spans/2026-11-20.csv</c>.</summary>
internal sealed class SpanTable(IModelUsage usage, IStorage storage)
{
    public const long MaxBytes = 4L << 30;

    private const string Header =
        "context.span_id,context.trace_id,name,span_kind,start_time,end_time,status_code,attributes.llm.provider,attributes.llm.model_name,"
        + "attributes.llm.token_count.prompt,attributes.llm.token_count.completion,attributes.llm.cost.total,attributes.organization_id\r\n";

    public async Task SaveAsync(
        DateOnly day, IReadOnlyCollection<Guid> organizations, DateTimeOffset from, DateTimeOffset to, CancellationToken ct)
    {
        await using var draft = Draft.Open();
        await using (var csv = new StreamWriter(draft, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true))
        {
            await csv.WriteAsync(Header.AsMemory(), ct);
            await foreach (var call in usage.CallsAsync(organizations, TutorAnswers.AnyPurpose, from, to, ct))
            {
                await csv.WriteAsync(LineOf(call).AsMemory(), ct);
            }
        }
        draft.Position = 0;
        _ = await storage.WriteAsync($"phoenix/spans/{day:yyyy-MM-dd}.csv", draft, MaxBytes, ct)
            ?? throw JobFailure.Dead("The day's table is too large");
    }

    private static string LineOf(ModelCall call) => string.Create(CultureInfo.InvariantCulture,
        $"{call.Id:n},{Field(call.RequestId)},response,LLM,{call.At.AddMilliseconds(-call.LatencyMs):O},{call.At:O},{(call.Outcome == 0 ? "OK" : "ERROR")},"
        + $"{Field(call.Provider)},{Field(call.Model)},{call.InputTokens},{call.OutputTokens},{call.Cost},{call.OrganizationId}\r\n");

    // What a spreadsheet would compute gets an apostrophe before it.
    private static string Field(string value)
    {
        var safe = value is ['=' or '+' or '-' or '@' or '\t' or '\r', ..] ? $"'{value}" : value;
        return safe.AsSpan().ContainsAny("\",\r\n") ? $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : safe;
    }
}
