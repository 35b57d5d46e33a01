{{ config(materialized='view') }}
select customer_id from {{ ref('vip') }} join {{ ref('lapsed') }} using (customer_id)
