using Stoa.Assistants.Mail;
using Stoa.Assistants.Purchases;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Events;

/// <summary>Each hour: purchases past their days end; each night trials that nobody uses are told of.</summary>
internal sealed record CheckPurchases(bool TellsOfTrials)
{
    public const string Kind = "assistants.check_purchases";

    public const string Trials = "assistants.check_trials";
}

internal sealed class CheckPurchasesHandler(PurchaseChecks checks, Mailer mailer) : IJobHandler<CheckPurchases>
{
    private const int Page = 50;

    public async Task RunAsync(CheckPurchases job, JobContext context, CancellationToken ct)
    {
        if (!job.TellsOfTrials)
        {
            while ((await checks.EndExpiredAsync(Page, ct)).Count == Page)
            {
                ct.ThrowIfCancellationRequested();
            }
            return;
        }
        for (var offset = 0; mailer.IsConfigured && (await checks.TellDisengagedAsync(Page, offset, ct)).Count == Page; offset += Page)
        {
            ct.ThrowIfCancellationRequested();
        }
    }
}
