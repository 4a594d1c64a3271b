using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Gateway;
using Stoa.Platform.Http;

namespace Stoa.Assistants.ProducedTexts;

/// <summary>
/// Finds what a user has produced before, by meaning: his newest versions, nearest first. A user has few enough of them that each is looked
/// at, so nothing is missed. Where no vectors can be made, by words.
/// </summary>
internal sealed class ProducedTextSearch(AssistantsDb db, IEmbeddings embeddings, IOptions<AssistantsOptions> options)
{
    // Of a text with more words the server can make no vector of words.
    private const int MostSearched = 100_000;

    public async Task<List<ProducedTextsApi.RetrievedText>> FindAsync(ProducedTextsApi.Search search, CancellationToken ct)
    {
        var organization = await db.Users.Where(user => user.Id == search.UserId)
            .Select(user => (Guid?)user.OrganizationId).FirstOrDefaultAsync(ct)
            ?? throw Failure.Invalid("Invalid user_id", "user_id");
        var text = EmbedProducedTextHandler.ForVector(search.Text);
        var (vector, model) = text.Length > 0 && embeddings.Pick(organization, options.Value.EmbeddingModel) is { } wanted
            ? await VectorAsync(organization, wanted, text, ct)
            : (null, null);
        return vector is null ? await ByWordsAsync(search, ct) : await ByMeaningAsync(search, vector, model!, ct);
    }

    private async Task<(float[]? Vector, string? Model)> VectorAsync(Guid organization, string model, string text, CancellationToken ct)
    {
        var reply = await embeddings.EmbedAsync(
            new(organization, model, "assistants.produced_texts", $"retrieve-{organization:N}", text), ct);
        return (reply.Vectors[0], reply.Model);
    }

    // Vectors have length 1: their product is the cosine.
    private Task<List<ProducedTextsApi.RetrievedText>> ByMeaningAsync(
        ProducedTextsApi.Search search, float[] vector, string model, CancellationToken ct) =>
        db.Database.SqlQuery<ProducedTextsApi.RetrievedText>($"""
            with near as (
              select e.id, v.title, v.production, t.id as task_id, t.name_for_system, t.icon,
                1 - (select sum(mine * asked) from unnest(v.embedding, {vector}) as pair (mine, asked)) as distance
              from assistants.produced_texts p
              join assistants.task_executions e on e.id = p.task_execution_id and e.deleted_at is null
              join assistants.user_tasks ut on ut.id = e.user_task_id
              join assistants.tasks t on t.id = ut.task_id
              cross join lateral (
                select n.title, n.production, n.embedding, n.embedding_model from assistants.produced_text_versions n
                where n.produced_text_id = p.id order by n.created_at desc, n.id desc limit 1) v
              where p.user_id = {search.UserId} and p.deleted_at is null and v.embedding is not null and v.embedding_model = {model}
            )
            select id as user_task_execution_pk, title as produced_text_title, production as produced_text, name_for_system as task_name,
              icon as task_icon
            from near where distance <= {search.MaxDistance} order by distance, id desc limit {search.Most}
            """).ToListAsync(ct);

    private Task<List<ProducedTextsApi.RetrievedText>> ByWordsAsync(ProducedTextsApi.Search search, CancellationToken ct) =>
        db.Database.SqlQuery<ProducedTextsApi.RetrievedText>($"""
            select e.id as user_task_execution_pk, v.title as produced_text_title, v.production as produced_text,
              t.name_for_system as task_name, t.icon as task_icon
            from assistants.produced_texts p
            join assistants.task_executions e on e.id = p.task_execution_id and e.deleted_at is null
            join assistants.user_tasks ut on ut.id = e.user_task_id
            join assistants.tasks t on t.id = ut.task_id
            cross join lateral (
              select n.title, n.production,
                to_tsvector('simple', coalesce(n.title, '') || ' ' || left(n.production, {MostSearched})) as words
              from assistants.produced_text_versions n where n.produced_text_id = p.id order by n.created_at desc, n.id desc limit 1) v
            where p.user_id = {search.UserId} and p.deleted_at is null and v.words @@ websearch_to_tsquery('simple', {search.Text})
            order by ts_rank(v.words, websearch_to_tsquery('simple', {search.Text})) desc, e.id desc limit {search.Most}
            """).ToListAsync(ct);
}
