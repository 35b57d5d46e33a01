-- Purchases of Online Retail as the example `quality` reads them: sales with a customer and a price; what was bought on one day is one basket.
--   duckdb -csv -noheader < benches/compare/online_retail.sql | cargo run --release -p clientele-recommend --example quality -- 5
SELECT CustomerID, dense_rank() OVER (ORDER BY StockCode), Quantity, epoch(date_trunc('day', InvoiceDate))::bigint
FROM 'server/data/online_retail.parquet' WHERE CustomerID IS NOT NULL AND UnitPrice > 0 AND Quantity > 0
