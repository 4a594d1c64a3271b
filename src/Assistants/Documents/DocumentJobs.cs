using System.Globalization;
using Stoa.Assistants.Documents.Crawling;
using Stoa.Assistants.Documents.Updates;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Documents;

/// <summary>
/// What is done about documents later: added to the unit of work, and begun when it is saved. Of each subject once at a time; asked for
/// while it is being done, it is done once more afterwards.
/// </summary>
internal sealed class DocumentJobs(AssistantsDb db)
{
    public JobReceipt Read(int websiteId, JobOwner owner) => db.Enqueue(new ReadWebsite(websiteId), Options(websiteId, owner));

    public JobReceipt Refresh(int documentId, JobOwner owner) => db.Enqueue(new RefreshPage(documentId), Options(documentId, owner));

    public JobReceipt Embed(int documentId, JobOwner owner) => db.Enqueue(new EmbedDocument(documentId), Options(documentId, owner));

    private static EnqueueOptions Options(int subject, JobOwner owner) =>
        new() { Owner = owner, UniqueKey = subject.ToString(CultureInfo.InvariantCulture), UniqueMode = UniqueMode.Coalesce };
}
