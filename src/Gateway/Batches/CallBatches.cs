using System.Buffers;
using System.Globalization;
using Stoa.Gateway.Batches.Native;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Files;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Batches;

/// <summary>Batches of <c>/v1</c>: each line is a call, made as the key that started the batch; OpenAI's results are files.</summary>
internal sealed class CallBatches(BatchLines lines, FileStore files, InnerCalls calls, NativeBatches native, TimeProvider time) : IBatchWay
{
    private const int Tries = 3;

    private static readonly byte[] Revoked =
        """{"error":{"message":"The API key was revoked or has expired","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"""u8.ToArray();

    public async Task<(string Model, string Id)?> BeginAsync(Batch batch, CancellationToken ct) =>
        KeyOf(batch) is { } key ? await native.BeginAsync(batch, key, ct) : null;

    public async Task<NativeState> StateAsync(Batch batch, CancellationToken ct) =>
        KeyOf(batch) is null ? NativeState.Of(NativeProgress.Failed) : await native.StateAsync(batch, ct);

    public Task CancelAsync(Batch batch, CancellationToken ct) => native.CancelAsync(batch, ct);

    public Task CollectAsync(Batch batch, NativeState state, CancellationToken ct) =>
        KeyOf(batch) is { } key ? native.CollectAsync(batch, key, state, ct) : Task.CompletedTask;

    public async Task<InnerAnswer?> AnswerAsync(Batch batch, BatchLine line, CancellationToken ct)
    {
        for (var tried = 1; ; tried++)
        {
            if (KeyOf(batch) is not { } key)
            {
                return new(401, "", Revoked);
            }
            var answer = await calls.PostAsync(batch.Endpoint, line.Request, key, ct);
            if (answer.Status == 429 && BatchOutput.ErrorOf(answer.Body).Code is not ("insufficient_quota" or "billing_error"))
            {
                return null;
            }
            if (answer.Status < 500 || tried == Tries)
            {
                return answer;
            }
            await Task.Delay(TimeSpan.FromSeconds(tried), time, ct);
        }
    }

    public async Task FinishAsync(Batch batch, BatchStatus end, CancellationToken ct)
    {
        if (batch.Kind != BatchKind.OpenAi)
        {
            return;
        }
        var unanswered = end == BatchStatus.Expired
            ? ("batch_expired", "This request could not be executed before the completion window expired.")
            : ("batch_cancelled", "The batch was cancelled before this request was executed.");
        batch.OutputFileId = await WriteAsync(batch, "output", result => result.IsSuccess, BatchOutput.WriteSuccess, ct);
        batch.ErrorFileId = await WriteAsync(
            batch, "error", result => !result.IsSuccess, (result, output) => BatchOutput.WriteError(result, unanswered, output), ct);
    }

    private ApiKey? KeyOf(Batch batch) => calls.Find(batch.KeyId, batch.KeyPrefix);

    /// <summary>
    /// A file of the results that <paramref name="belongs"/>; null when there are none. Written again it is the same file.
    /// </summary>
    private async Task<string?> WriteAsync(
        Batch batch, string what, Func<BatchResult, bool> belongs, Action<BatchResult, IBufferWriter<byte>> write, CancellationToken ct)
    {
        var id = $"file-{batch.Id["batch_".Length..]}{what}";
        await using var content = BatchOutput.Open(lines.ResultsAsync(batch.Id, ct).Where(belongs), write, ct);
        var bytes = await files.WriteAsync(batch.OrganizationId, id, content, long.MaxValue, ct);
        if (bytes == 0)
        {
            await files.DropAsync(batch.OrganizationId, id);
            return null;
        }
        var name = string.Create(CultureInfo.InvariantCulture, $"{batch.Id}_{what}.jsonl");
        if (await files.FindAsync(batch.OrganizationId, id, ct) is null)
        {
            await files.AddAsync(batch.OrganizationId, id, name, "batch_output", bytes, BatchStore.Kept, ct);
        }
        return id;
    }
}
