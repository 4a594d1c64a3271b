using Stoa.Assistants.Documents.Updates;

namespace Stoa.Tests.Assistants.Documents;

/// <summary>A model of vectors by another name.</summary>
public sealed class EmbeddingAliasTests
{
    [Fact]
    public async Task Vectors_by_an_alias_are_made_once_and_bear_the_models_own_name()
    {
        await using var site = await AssistantsSite.StartAsync(
            ("Gateway:Providers:demo:Kind", "demo"), ("Gateway:Models:vectors:Targets:0:Model", "demo/demo"),
            ("Assistants:EmbeddingModel", "vectors"));
        var user = await site.UserAsync();
        await site.OkAsync(user.Token, HttpMethod.Put, "/resource", new() { ["name"] = "Garden", ["text"] = "Roses are cut in March." });
        await site.Host.RunJobsAsync();

        await site.RunScheduleAsync(TidyDocuments.Kind);

        Assert.Equal(("demo/demo", 1), (
            await site.ValueAsync<string>(
                "select string_agg(distinct embedding_model, ',') from assistants.document_chunks where user_id = $1", user.Id),
            (int)await site.ValueAsync<long>("select count(*) from platform.finished_jobs where kind = 'assistants.embed_document'")));
    }
}
